"""What a training gives, whenever it stops: the experimenter's weights, and a card that says how they came about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from domains.document import GoalKind
from meta_learner.agents.card import Card
from meta_learner.agents.loading import packed
from meta_learner.training.recipe import TrainingRecipe
from meta_learner.training.training import Training

CURVE_OF = "regret, a share of what the best design gains (imitate); gain, a share of all there is (improve)"
_LIMITS = (
    "Decides among the candidates that expected-information-gain finds, by a table of 64 hypotheses, 16 designs and 16 "
    "outcomes; for a batch's later designs, and where only some parameters are to be learned, it takes greedy's. "
    "Trained with budgets of a few experiments."
)


def as_agent(
    recipe: TrainingRecipe,
    training: Training,
    seconds: float,
    curve: Sequence[tuple[int, float]],
    about: Mapping[str, Any],
) -> tuple[Card, bytes]:
    """For ``Store.save``. curve: (step, value); about: commit and machine (``results.provenance``)."""
    machine = about["machine"]
    return packed(
        training.network,
        name=recipe.name,
        family="experimenter",
        options=recipe.network.model_dump(),
        goals=get_args(GoalKind),
        recipe=recipe.model_dump(mode="json", by_alias=True),
        training={
            "tasks": recipe.in_words(),
            "domains": [{"name": domain.name, "identity": domain.identity} for domain in recipe.documents()],
            "steps": training.step,
            "episodes": training.episodes,
            "experiments": training.experiments,
            "seconds": round(seconds, 1),
            "hardware": f"{machine['processor']}, {machine['device']}",
            "commit": about["commit"],
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "curve_of": CURVE_OF,
            "curve": curve,
        },
        limits=f"{recipe.summary} {_LIMITS}".strip(),
    )
