"""What a belief is worth at the end of a game: every utility is convex, so that no experiment is expected to harm."""

from collections.abc import Callable

import torch
from torch import Tensor

Utility = Callable[[Tensor, Tensor], Tensor]  # belief [games, …, hypotheses], target [games, hypotheses] → [games, …]


def information(belief: Tensor, target: Tensor) -> Tensor:
    """−H(target), nats: the gain over the prior's is the information about the target."""
    share = of_targets(belief, target)
    return torch.xlogy(share, share).sum(-1)


def correct(belief: Tensor, target: Tensor) -> Tensor:
    """The probability that the most probable target is the true one."""
    return of_targets(belief, target).amax(-1)


def of_targets(belief: Tensor, target: Tensor) -> Tensor:
    """Probability of every target [games, …, targets]."""
    count = int(target.max()) + 1
    member = torch.nn.functional.one_hot(target, count).to(belief.dtype)  # [games, hypotheses, targets]
    return torch.einsum("g...h,ght->g...t", belief, member)


UTILITIES: dict[str, Utility] = {"information": information, "correct": correct}
