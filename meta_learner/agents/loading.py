"""From a network to an agent's files, and back: nothing is used that is not what its card says."""

import json
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from domains.worlds import DomainModel
from meta_learner.agents.card import AgentError, Card, Weights
from meta_learner.agents.families import family_of
from meta_learner.agents.store import Stored, weights_of
from meta_learner.policies.base import Policy

_ACTS = "acts"  # the one entry of the file's metadata: several would be written in any order
_NONE_YET = Weights(sha256="0" * 64, bytes=1)


def packed(network: nn.Module, **about: Any) -> tuple[Card, bytes]:
    """A network as weights and the card to them, for ``Store.save``; about: the card's fields but ``weights``.

    The same network and family, options, goals and domains give the same bytes. ValidationError where the card's
    fields are not what they should be.
    """
    card = Card.model_validate({**about, "weights": _NONE_YET})
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in network.state_dict().items()}
    content = save(tensors, metadata={_ACTS: json.dumps(card.acts, sort_keys=True)})
    return card.model_copy(update={"weights": weights_of(content)}), content


def load_network(stored: Stored, model: DomainModel | None = None) -> nn.Module:
    """The network with its weights, on the default device, for use and not for training.

    AgentError where the weights are not those of the card, its family or its shape, or are not finite.
    """
    card = stored.card
    tensors = _tensors(stored)
    network = _built(card, model)
    _check(card, network.state_dict(), tensors)
    network.load_state_dict(tensors)
    return network.to(torch.get_default_device()).eval()


def load_policy(stored: Stored, model: DomainModel) -> Policy:
    """The agent as a policy of a domain, under its own name; AgentError where it does not serve it."""
    domain = model.domain
    why = stored.card.refusal(domain.name, domain.identity, domain.goal.kind)
    if why:
        raise AgentError(f"the agent {stored.name!r} {why}")
    policy = family_of(stored.card).policy(load_network(stored, model), stored.card, model)
    policy.name = stored.name
    return policy


def _tensors(stored: Stored) -> dict[str, Tensor]:
    content = stored.weights()
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise AgentError(f"the weights of {stored.name} are no safetensors file ({error})") from None
    size = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + size]).get("__metadata__", {})
    if metadata.get(_ACTS) != json.dumps(stored.card.acts, sort_keys=True):
        raise AgentError(
            f"the weights of {stored.name} were made for another family, other options, goals or domains than its card "
            "names; put back the card that came with them"
        )
    return tensors


def _built(card: Card, model: DomainModel | None) -> nn.Module:
    try:
        return family_of(card).build(card, model)
    except (TypeError, ValueError) as error:
        raise AgentError(
            f"the options of {card.name} do not make a network of the family {card.family!r} ({error}); use the "
            "version of Organon that the agent was made with"
        ) from None


def _check(card: Card, wanted: dict[str, Tensor], found: dict[str, Tensor]) -> None:
    for name in sorted(wanted.keys() | found.keys()):
        there, here = (_described(tensors.get(name)) for tensors in (found, wanted))
        if there != here:
            raise AgentError(
                f"the weights of {card.name}: {name} is {there}, and a network of the family {card.family!r} with its "
                f"options has {here}; use the version of Organon that the agent was made with"
            )
        if found[name].is_floating_point() and not bool(found[name].isfinite().all()):
            raise AgentError(f"the weights of {card.name}: {name} holds numbers that are not finite; train it anew")


def _described(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
