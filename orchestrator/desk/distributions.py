"""What a person does with task distributions: keep versions, look at draws, train on them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError

from experiments_db import distributions, trainings
from experiments_db.jobs import JobRecord
from orchestrator.agent_work import being_made
from orchestrator.agents import check_new_name
from orchestrator.desk.base import Desk
from orchestrator.distributions import Distribution, Recipe, examine_own, find_distribution
from orchestrator.errors import RequestError
from orchestrator.jobs import ask

DRAWS = 6  # that are looked at, unless told
MOST_DRAWS = 24


@dataclass(frozen=True)
class Length:
    """How long to train: so many minutes, or so many steps; to the recipe's end where neither is said."""

    minutes: float | None = None
    steps: int | None = None


class DistributionDesk(Desk):
    """For whoever looks at task distributions."""

    def save(self, text: str) -> Distribution:
        """Keep a text as the next version of the name in it; RequestError with the first thing that is wrong."""
        by = self.acting().by
        recipe, problems = examine_own(text)
        if recipe is None or problems:
            raise RequestError(f"this cannot be kept: {problems[0]}")
        plain = recipe.model_dump(mode="json", by_alias=True)
        try:
            with self.database.write() as session:
                newest = distributions.find_distribution(session, recipe.name)
                if newest is not None and newest.text == text:
                    raise RequestError(f"version {newest.version} of {recipe.name} says the same: nothing was kept")
                kept = distributions.add_distribution(session, recipe.name, text, plain, by)
        except IntegrityError:
            raise RequestError(f"somebody kept a version of {recipe.name} at this moment; try again") from None
        return find_distribution(self.database, kept.name, kept.version)

    def draw(self, name: str, version: int | None, *, seed: int, count: int = DRAWS) -> JobRecord:
        """Ask for draws of a distribution, to be looked at."""
        by = self.acting().by
        if not 1 <= count <= MOST_DRAWS:
            raise RequestError(f"{count} draws: ask for 1 to {MOST_DRAWS}")
        recipe = find_distribution(self.database, name, version).usable
        arguments = draw_arguments(recipe, seed, count)
        return ask(self.settings, self.database, "draw", arguments, by)

    def train(self, name: str, version: int | None, *, agent: str, length: Length) -> JobRecord:
        """Ask for a training under a name of its own, or for an earlier one to go on. What is under way goes on;
        RequestError where it has come to the recipe's end."""
        by = self.acting().by
        distribution = find_distribution(self.database, name, version)
        recipe = distribution.usable.model_copy(update={"name": agent})
        check_new_name(self.settings, agent, recipe.is_that_of)
        if agent in being_made(self.database):
            raise RequestError(f"the agent {agent!r} is being made now; stop that first, or choose another name")
        arguments = {
            "recipe": recipe.model_dump(mode="json", by_alias=True),
            "distribution": distribution.name,
            "version": distribution.version,
            "seconds": None if length.minutes is None else 60.0 * length.minutes,
            "steps": length.steps,
            "from": self._reached(recipe),
        }
        return ask(self.settings, self.database, "train", arguments, by)

    def _reached(self, recipe: Recipe) -> dict[str, Any]:
        """How far the training of this name has come."""
        with self.database.read() as session:
            newest = next(iter(trainings.trainings_of(session, recipe.name, limit=1)), None)
        if newest is None or not recipe.is_that_of(newest.recipe):
            return {"step": 0, "seconds": 0.0}
        if newest.status == "finished":
            raise RequestError(
                f"the training of {recipe.name!r} has come to the end of its {newest.steps} steps; a longer one is "
                "another recipe: save it with more steps, and give its agent another name"
            )
        return {"step": newest.step, "seconds": newest.seconds}


def draw_arguments(recipe: Recipe, seed: int, count: int) -> dict[str, Any]:
    """By which a look at draws is known."""
    return {"recipe": recipe.model_dump(mode="json", by_alias=True), "seed": seed, "count": count}
