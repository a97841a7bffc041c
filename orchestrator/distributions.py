"""Task distributions: the recipes that come with Organon, and one's own, which are kept in the record. Torch-free."""

from dataclasses import dataclass
from datetime import datetime

import yaml

from domains.errors import DomainError
from domains.loading import find
from experiments_db import distributions
from experiments_db.database import Database
from experiments_db.distributions import DistributionRecord, DistributionVersion
from meta_learner.agents.card import checked_name
from meta_learner.training.recipe import FOLDER, examine, shipped
from meta_learner.training.recipe import Problem as Problem
from meta_learner.training.recipe import TrainingRecipe as Recipe
from orchestrator.errors import RequestError

SHIPPED = 0  # the version of those that come with Organon


@dataclass(frozen=True)
class Distribution:
    """A version of a task distribution; recipe: None where this Organon cannot read it; problems: what is wrong."""

    name: str
    version: int
    text: str
    by: str
    created_at: datetime | None
    recipe: Recipe | None
    problems: tuple[Problem, ...]

    @property
    def shipped(self) -> bool:
        return self.version == SHIPPED

    @property
    def usable(self) -> Recipe:
        """The recipe; RequestError where it cannot be trained on."""
        if self.recipe is None or self.problems:
            raise RequestError(f"the task distribution {self.name!r} cannot be used: {self.problems[0]}")
        return self.recipe


def shipped_distributions() -> list[Distribution]:
    """Those that come with Organon."""
    return [_shipped(name) for name in shipped()]


def own_distributions(database: Database, *, limit: int = 50, offset: int = 0) -> list[Distribution]:
    """The newest version of each of one's own, by name."""
    with database.read() as session:
        found = distributions.newest_distributions(session, limit=limit, offset=offset)
    return [_own(record) for record in found]


def find_distribution(database: Database, name: str, version: int | None = None) -> Distribution:
    """One by its name, in its newest version unless told; NotFoundError where there is none."""
    if name in shipped() and version in (None, SHIPPED):
        return _shipped(name)
    with database.read() as session:
        return _own(distributions.get_distribution(session, name, version))


def versions_of(database: Database, name: str) -> list[DistributionVersion]:
    """The versions of one's own, newest first; none of a shipped one."""
    with database.read() as session:
        return distributions.distribution_versions(session, name)


def examine_own(text: str) -> tuple[Recipe | None, list[Problem]]:
    """What is wrong with a text that is to be kept as one's own."""
    recipe, problems = examine(text)
    name = None if recipe is None else recipe.name
    if name is not None:
        try:
            checked_name(name)
        except ValueError as error:
            problems = [Problem(("name",), str(error)), *problems]
        if name in shipped():
            words = f"{name!r} comes with Organon and is not changed; choose another name"
            problems = [Problem(("name",), words), *problems]
    return recipe, problems


def a_copy(distribution: Distribution) -> str:
    """The text to begin one's own with: a shipped one under another name, one's own as it is."""
    if not distribution.shipped:
        return distribution.text
    first = f"name: {distribution.name}"
    return distribution.text.replace(first, f"name: my-{distribution.name}", 1)


def fields_of_domains(names: tuple[str, ...]) -> dict[str, str]:
    """The field of each domain that can be read."""
    found = {}
    for name in names:
        try:
            found[name] = find(name).field
        except DomainError:
            continue
    return found


def data_of(text: str) -> object:
    """What a text holds as plain data, whether it is a recipe or not; None where it is no YAML."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _shipped(name: str) -> Distribution:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    recipe, problems = examine(text)
    return Distribution(name, SHIPPED, text, "Organon", None, recipe, tuple(problems))


def _own(record: DistributionRecord) -> Distribution:
    recipe, problems = examine(record.text)
    return Distribution(record.name, record.version, record.text, record.by, record.created_at, recipe, tuple(problems))
