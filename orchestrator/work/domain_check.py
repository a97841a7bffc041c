"""The job that examines a domain scientifically, as ``organon domain check`` does."""

from dataclasses import asdict
from typing import Any

from domains.measurements import read_replay
from domains.worlds import DomainModel
from meta_learner.examination import examine
from orchestrator.job_work import Work
from orchestrator.own_domains import find_domain


def check(work: Work) -> dict[str, Any]:
    """Arguments: ``domain``, a name as `orchestrator.own_domains` has it. What was measured, and the remarks on it."""
    domain = find_domain(work.database, work.arguments["domain"])
    work.tell(0.0, "reading the tables")
    replays = {replay: len(read_replay(domain, replay).designs) for replay in domain.replays}

    def within(done: int, steps: int) -> None:
        work.tell(done / steps, "simulating every law" if done < steps else "")

    found = examine(DomainModel(domain), within)
    return {
        "identity": domain.identity,
        "ok": found.ok,
        "remarks": [asdict(remark) for remark in found.remarks],
        "laws": [{"law": law.law, "broken": law.broken, "seconds": law.seconds} for law in found.laws],
        "pairs": [_pair(asdict(pair)) for pair in found.pairs],
        "edges": [asdict(edge) for edge in found.edges],
        "replays": replays,
    }


def _pair(pair: dict[str, Any]) -> dict[str, Any]:
    return {**pair, "laws": list(pair["laws"])}
