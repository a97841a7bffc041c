"""How large an agent's network would be, without building it."""

import torch

from meta_learner.agents.card import AgentError, Card
from meta_learner.agents.families import family_of


def parameters(card: Card) -> int | None:
    """The numbers that a network with the card's options has; None where that depends on the domain it is sent into.

    Nothing is allocated: on torch's meta device tensors have shapes only. AgentError where the options make none.
    """
    try:
        with torch.device("meta"):
            network = family_of(card).build(card, None)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AgentError(
            f"the options of {card.name} do not make a network of the family {card.family!r}: {error}"
        ) from None
    except (AttributeError, AssertionError):  # a specialist, whose sizes are those of a domain
        return None
    return sum(value.numel() for value in network.state_dict().values())
