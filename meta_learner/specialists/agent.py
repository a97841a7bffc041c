"""What the training of a specialist gives, whenever it stops: weights, and a card that says how they came about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from meta_learner.agents.card import Card, Document
from meta_learner.agents.loading import packed
from meta_learner.specialists import registry
from meta_learner.specialists.session import Session

CURVE_OF = "gain of the goal's score in a training episode, against contrasts; steps: simulated experiments"
_LIMITS = (
    "A specialist: it serves the one document that it was trained on. It looks at the experiments and at what is left "
    "of the budget, not at the belief; for budgets other than its episodes' it was not trained."
)


def as_agent(session: Session, about: Mapping[str, Any]) -> tuple[Card, bytes]:
    """For ``Store.save``. about: commit and machine (``results.provenance``)."""
    plan, trainer, machine = session.plan, session.trainer, about["machine"]
    document = Document(name=plan.domain.name, identity=plan.domain.identity)
    built = registry.card(trainer.network)
    return packed(
        trainer.network,
        name=plan.name,
        family=built.pop("family"),
        options=built,
        goals=(plan.domain.goal.kind,),
        domains=(document,),
        recipe=plan.plain(),
        training={
            "tasks": (f"simulated runs of {plan.domain.name}, to {plan.domain.goal.kind}",),
            "domains": (document,),
            "steps": trainer.updates,
            "episodes": trainer.updates * plan.recipe.episodes,
            "experiments": trainer.experiments,
            "seconds": round(session.seconds, 1),
            "hardware": f"{machine['processor']}, {machine['device']}",
            "commit": about["commit"],
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "curve_of": CURVE_OF,
            "curve": session.curve,
        },
        limits=_LIMITS,
    )
