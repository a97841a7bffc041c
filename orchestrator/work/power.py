"""What a campaign is likely to reach, before it is started: simulated campaigns of its domain."""

from typing import Any

from domains.document import Domain
from domains.loading import find
from meta_learner.evaluation.power import Study
from meta_learner.evaluation.power import power as simulate
from orchestrator.job_work import Work
from orchestrator.requests import Document


def power(work: Work) -> dict[str, Any]:
    """The power report (`meta_learner.evaluation.power`) of a ``domain``, a name or a document, with a ``policy``, a
    ``budget``, so many ``runs`` and ``particles``; as plain data."""
    asked = work.arguments
    study = Study(
        policies=(asked["policy"],),
        budget=asked["budget"],
        runs=asked["runs"],
        seed=asked.get("seed", 0),
        particles=asked["particles"],
    )
    report = simulate(_domain(asked["domain"]), study, lambda share: work.tell(share, "simulating campaigns"))
    return report.to_dict()


def _domain(named: str | dict[str, Any]) -> Domain:
    return find(named) if isinstance(named, str) else Document(**named).load()
