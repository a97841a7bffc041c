"""Families of networks that agents may have: how each is built from a card, and how it becomes a policy.

Importing this costs no torch: a family imports its network when one is built. Another family joins by

>>> register("mine", Family(build=lambda card, model: …, policy=lambda network, card, model: …))

whose ``build`` is given the model of the domain that the agent is sent into (None where it is sent into none), so that
a specialist may take its sizes from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meta_learner.agents.card import AgentError, Card

if TYPE_CHECKING:
    from torch import nn

    from domains.worlds import DomainModel
    from meta_learner.policies.base import Policy


# The names of meta_learner.specialists.SPECIALISTS, whose import costs torch; a test keeps the two alike.
SPECIALISTS = ("rl2", "transformer", "deep-adaptive-design", "maml", "scratch")


@dataclass(frozen=True)
class Family:
    """build: the network, with any weights; policy: the network, with its own, as a policy of a domain; of_table:
    whether it is a function of ``meta_learner.experimenter.features.Table``, and so can be exported."""

    build: "Callable[[Card, DomainModel | None], nn.Module]"
    policy: "Callable[[nn.Module, Card, DomainModel], Policy]"
    of_table: bool = False


def register(name: str, family: Family) -> None:
    """Let agents have this family; AgentError where the name is taken."""
    if name in _FAMILIES:
        raise AgentError(f"there is a family {name!r} already; choose another name")
    _FAMILIES[name] = family


def family_of(card: Card) -> Family:
    """That of a card; AgentError where this Organon has none such."""
    found = _FAMILIES.get(card.family)
    if found is None:
        raise AgentError(
            f"the agent {card.name!r} is of the family {card.family!r}, which this Organon does not have; it has "
            f"{', '.join(sorted(_FAMILIES))}: use the version that the agent was made with"
        )
    return found


def _experimenter(card: Card, model: "DomainModel | None") -> "nn.Module":
    from meta_learner.experimenter.network import Experimenter, Shape

    del model
    return Experimenter(Shape(**card.options))


def _experimenter_policy(network: "nn.Module", card: Card, model: "DomainModel") -> "Policy":
    from meta_learner.experimenter.network import Experimenter
    from meta_learner.experimenter.policy import ExperimenterPolicy

    del card, model
    assert isinstance(network, Experimenter)
    return ExperimenterPolicy(network)


def _specialist(card: Card, model: "DomainModel | None") -> "nn.Module":
    from meta_learner.specialists import from_card

    if model is None:
        names = ", ".join(document.name for document in card.domains)
        raise AgentError(f"the agent {card.name!r} is a specialist, whose network is built for a domain ({names})")
    return from_card({"family": card.family, **card.options}, model)


def _specialist_policy(network: "nn.Module", card: Card, model: "DomainModel") -> "Policy":
    from meta_learner.specialists import Specialised, Specialist

    del card, model
    assert isinstance(network, Specialist)
    return Specialised(network)


_FAMILIES: dict[str, Family] = {"experimenter": Family(_experimenter, _experimenter_policy, of_table=True)}
for _name in SPECIALISTS:
    register(_name, Family(_specialist, _specialist_policy))
