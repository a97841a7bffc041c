"""The job ``draw``: what tasks of a distribution look like."""

from typing import Any

from meta_learner.training.drawn import draws
from meta_learner.training.recipe import TrainingRecipe
from orchestrator.job_work import Work


def draw(work: Work) -> dict[str, Any]:
    """So many tasks as a training would meet them."""
    given = work.arguments
    recipe, count = TrainingRecipe.model_validate(given["recipe"]), given["count"]
    shown = []
    for each in draws(recipe, given["seed"], count):
        shown.append(each)
        work.tell(len(shown) / count, f"task {len(shown)} of {count}")
    return {"draws": shown}
