"""What ``organon train FAMILY`` asks for, as the training takes it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domains.loading import find
from meta_learner.agents.families import SPECIALISTS
from meta_learner.training.recipe import shipped
from orchestrator.cli.train_options import CONTRASTS
from orchestrator.errors import RequestError

if TYPE_CHECKING:
    from meta_learner.specialists.session import Plan


def check(what: str | None, given: Mapping[str, Any]) -> str:
    """A recipe, or a family that is given its domain; RequestError for anything else. given: the specialists' options,
    None where they were not."""
    if what is None:
        raise RequestError(
            f"name a recipe, which is a .yaml file or one of {', '.join(shipped())}; or a family of specialists, with "
            f"its --domain: {', '.join(SPECIALISTS)}"
        )
    if what in SPECIALISTS and given["domain"] is None:
        raise RequestError(f"{what} is a family of specialists; say on which domain: --domain NAME-or-FILE")
    meant = [name for name, value in given.items() if value is not None]
    if what not in SPECIALISTS and meant:
        raise RequestError(
            f"--{meant[0]} is of specialists ({', '.join(SPECIALISTS)}), and {what!r} is none; a recipe says by itself "
            "what to train on"
        )
    return what


def planned(family: str, given: Mapping[str, Any]) -> "Plan":
    """Everything together. DomainError or RequestError where a part of it cannot be."""
    domain, given_options = find(given["domain"]), dict(_pair(entry) for entry in given["option"] or [])
    from meta_learner.specialists.session import Plan
    from meta_learner.specialists.training import Recipe

    asked = {name: given[name] for name in ("experiments", "seed", "budget") if given[name] is not None}
    recipe = Recipe(contrasts=given["contrasts"] or CONTRASTS, **asked)
    return Plan(given["name"] or f"{family}-{domain.name}", family, domain, given_options, recipe)


def again(what: str, given: Mapping[str, Any]) -> list[str]:
    """The command's arguments, to go on with."""
    said = [what]
    for name, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            said += [] if each is None else [f"--{name}", str(each)]
    return said


def _pair(entry: str) -> tuple[str, str]:
    name, equals, value = entry.partition("=")
    if not equals:
        raise RequestError(f"--option {entry}: write NAME=VALUE, such as width=32")
    return name, value
