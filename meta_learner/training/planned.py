"""From a recipe to what a training takes: tasks with their weights, stages, network. Needs torch."""

import itertools
from collections.abc import Iterator
from typing import Any

from domains.worlds import DomainModel
from meta_learner.experimenter.network import Shape
from meta_learner.games.random_tables import Size
from meta_learner.training.decisions import KnownDomains, RandomDomains
from meta_learner.training.recipe import DomainDecisions, RandomDomainDecisions, TableGames, TrainingRecipe
from meta_learner.training.tasks import Tables
from meta_learner.training.training import Plan, Stage


def planned(recipe: TrainingRecipe) -> Plan:
    """The whole; DomainError where a domain that it names is not to be had."""
    tasks: list[tuple[float, Any]] = []
    for games in recipe.tables:
        each = list(tables(games))
        tasks += [(games.weight / len(each), task) for task in each]
    tasks += [(part.weight, random_domains(part)) for part in recipe.random_domains]
    tasks += [(part.weight, known_domains(part)) for part in recipe.domains]
    imitate, improve = (Stage(**stage.model_dump()) for stage in (recipe.imitate, recipe.improve))
    shape, mixed = Shape(**recipe.network.model_dump()), recipe.precision == "mixed"
    return Plan(tuple(tasks), imitate, improve, recipe.seed, shape, recipe.curriculum, mixed)


def tables(games: TableGames) -> Iterator[Tables]:
    """One a combination; predictions are asked for where there are answers, information and certainty where there
    are none."""
    sizes = itertools.product(
        games.hypotheses, games.designs, games.outcomes, games.experiments, games.targets, games.dear, games.answers
    )
    for (h, d, y, n, targets, dear, answers), kind, goal in itertools.product(sizes, games.kinds, games.goals):
        if (goal == "prediction" and not answers) or (answers and (targets or goal in ("information", "certainty"))):
            continue
        size = Size(h, d, y, n, min(targets, h) or None, dear, answers)
        yield Tables(kind, size, goal, games.ahead, games.runs)


def random_domains(part: RandomDomainDecisions) -> RandomDomains:
    """Decisions in random domains."""
    goals = tuple(sorted(part.goals.items()))
    return RandomDomains(**part.model_dump(exclude={"weight", "goals"}), goals=goals)


def known_domains(part: DomainDecisions) -> KnownDomains:
    """Decisions in domains that are named."""
    known = tuple(DomainModel(domain) for domain in part.domains())
    return KnownDomains(**part.model_dump(exclude={"weight", "names"}), known=known)
