"""Specialists by name, from plain options and back: what a file of weights needs beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError

from domains.errors import DomainError
from domains.worlds import DomainModel
from meta_learner.specialists import deep_adaptive_design, maml, rl2, scratch, transformer
from meta_learner.specialists.features import Featuriser
from meta_learner.specialists.network import Layout, Specialist


@dataclass(frozen=True)
class Family:
    """A kind of network and the dataclass of its options."""

    network: type[Specialist]
    options: type[Any]


SPECIALISTS: dict[str, Family] = {
    "rl2": Family(rl2.RL2, rl2.Options),
    "transformer": Family(transformer.Transformer, transformer.Options),
    "deep-adaptive-design": Family(deep_adaptive_design.DeepAdaptiveDesign, deep_adaptive_design.Options),
    "maml": Family(maml.MAML, maml.Options),
    "scratch": Family(scratch.Scratch, scratch.Options),
}


def build(
    name: str,
    model: DomainModel,
    options: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    budget: float | None = None,
) -> Specialist:
    """An untrained network of a family for a domain, on torch's default device; DomainError for what it does not have.

    seed: of its first weights, the same on every device; budget: what shares of the budget are of, the domain's own
    where None.
    """
    family = _family(name, options or {})
    featuriser = Featuriser(model, model.domain.budget if budget is None else budget)
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.manual_seed(seed)
        network = family.network(featuriser, Layout(model), family.options(**(options or {})))
    return network.to(torch.empty(0).device)


def options_of(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a family, from some in words or numbers; DomainError names the first that cannot be."""
    family = _family(name, given)
    try:
        found = dict(vars(TypeAdapter(family.options).validate_python(dict(given))))
    except ValidationError as error:
        first = error.errors()[0]
        raise DomainError(f"option {first['loc'][0]}={first['input']}: {first['msg']}") from None
    for option, value in found.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and not value > 0:
            raise DomainError(f"option {option}={value:g}: it must be above 0")
    if found["width"] % found.get("heads", 1):
        raise DomainError(f"option heads={found['heads']}: the width, {found['width']}, must be a multiple of it")
    return found


def _family(name: str, options: Mapping[str, Any]) -> Family:
    """DomainError unless there is one that has all these options."""
    if name not in SPECIALISTS:
        raise DomainError(f"specialist {name!r}: there is none of that name; there are {', '.join(SPECIALISTS)}")
    known = {field.name for field in fields(SPECIALISTS[name].options)}
    unknown = [option for option in options if option not in known]
    if unknown:
        raise DomainError(f"option {unknown[0]!r}: {name} has none of that name; it has {', '.join(sorted(known))}")
    return SPECIALISTS[name]


def card(network: Specialist) -> dict[str, Any]:
    """What ``build`` needs to make the same network again, for JSON: weights are its ``state_dict``."""
    return {
        "family": network.family,
        "options": dict(vars(network.options)),
        "budget": network.featuriser.budget.item(),
        "designs": list(network.layout.names[0]),
        "outcomes": list(network.layout.names[1]),
    }


def from_card(found: Mapping[str, Any], model: DomainModel) -> Specialist:
    """An untrained network like the one that a card describes; DomainError for a domain of another shape."""
    network = build(found["family"], model, found["options"], budget=found["budget"])
    if network.layout.names != (tuple(found["designs"]), tuple(found["outcomes"])):
        raise DomainError(
            f"card of {found['family']}: it is for the settings {', '.join(found['designs'])} and the outcomes "
            f"{', '.join(found['outcomes'])}, which {model.domain.name} does not have; train one for this domain"
        )
    return network
