"""The agent in an archive: a stranger's card and weights, kept where only that campaign's replay looks."""

from typing import Any

from domains.document import Domain
from domains.errors import DomainError
from experiments_db.package import Reader
from meta_learner.agents.card import Card, read_card
from meta_learner.agents.store import weights_of
from orchestrator.archives import members
from orchestrator.opening_agents import imported_agents
from orchestrator.settings import Settings

_LARGEST = 4096  # number among a network's options: layers, widths
_MOST_OPTIONS = 100


def take_agent(
    settings: Settings, package: Reader, campaign: members.ArchivedCampaign, sha256: str, domain: Domain
) -> str:
    """Check and keep the agent of an archived campaign; returns its name. PackageError where it is not sound."""
    weights = package.data(members.WEIGHTS)
    try:
        card = read_card(package.data(members.CARD).decode(errors="replace"), members.CARD)
        if card.name != campaign.policy or card.weights != weights_of(weights) or card.weights.sha256 != sha256:
            raise package.refused("its agent is another than its campaign was begun with")
        why = card.refusal(domain.name, domain.identity, domain.goal.kind)
        if why:
            raise package.refused(f"its agent {why}")
        _check_size(package, card)
        settings.make_home()
        imported_agents(settings, campaign.id).save(card, weights, replace=True)
    except DomainError as error:
        raise package.refused(f"its agent cannot be taken: {error}") from None
    return card.name


def _check_size(package: Reader, card: Card) -> None:
    """A network is built before its weights are compared with it: its options must not ask for a monstrous one."""
    numbers = list(_numbers(card.options))
    if len(numbers) > _MOST_OPTIONS or any(abs(number) > _LARGEST for number in numbers):
        raise package.refused(
            f"the options of its agent hold more than {_MOST_OPTIONS} numbers, or one above {_LARGEST}"
        )
    from meta_learner.agents.sizes import parameters

    wanted = parameters(card)
    if wanted is not None and wanted > card.weights.bytes:  # a parameter takes more than a byte
        raise package.refused(
            f"its agent's network has {wanted:,} parameters, and its weights {card.weights.bytes:,} bytes"
        )


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for entry in value.values() for number in _numbers(entry)]
    if isinstance(value, list | tuple):
        return [number for entry in value for number in _numbers(entry)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []
