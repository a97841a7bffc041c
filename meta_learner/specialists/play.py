"""Episodes played to their end by a network that explores: what a policy gradient learns from."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from meta_learner.specialists.episodes import Episodes
from meta_learner.specialists.features import Tokens
from meta_learner.specialists.legal import nearest
from meta_learner.specialists.network import Specialist


@dataclass(frozen=True)
class Played:
    """Every step of every episode: tokens, action [episodes, steps, ordered + choices], log_probability, value, reward
    and active [episodes, steps]: where the episode was still under way."""

    tokens: Tokens
    action: Tensor
    log_probability: Tensor
    value: Tensor
    reward: Tensor
    active: Tensor


@torch.no_grad()
def play(network: Specialist, episodes: Episodes, generator: Generator) -> Played:
    """Choose by drawing from the network's distributions until all budgets are spent."""
    space, steps = episodes.model.space, []
    tokens = network.featuriser.start(episodes.remaining[:, 0])
    while bool((active := episodes.active).any()):
        decision = network.latest(tokens)
        action = decision.sample(generator)
        designs = nearest(space, network.layout.unit(action), episodes.remaining[:, -1])
        reward = episodes.step(designs).to(action.dtype)
        steps.append((action, decision.log_probability(action), decision.value, reward, active))
        tokens = tokens.append(newest(network, episodes))
    before = Tokens(*(getattr(tokens, name)[:, :-1] for name in Tokens.__dataclass_fields__))
    return Played(before, *(torch.stack(parts, dim=1) for parts in zip(*steps, strict=True)))


def newest(network: Specialist, episodes: Episodes) -> Tokens:
    """The tokens of the last experiment."""
    history = episodes.history
    return network.featuriser.after(history.designs[:, -1:], history.outcomes[:, -1:], episodes.remaining[:, -1:])
