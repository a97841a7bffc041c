"""RL²: a recurrent network whose state, carried through the episode, is what it has learned about this world.

Duan, Schulman, Chen, Bartlett, Sutskever & Abbeel 2016, RL²: Fast reinforcement learning via slow reinforcement
learning, arXiv:1611.02779; Wang et al. 2016, Learning to reinforcement learn, arXiv:1611.05763. Theirs is also shown
its rewards; ours need the hidden truth, so that experiments and what is left of the budget are all it sees.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from meta_learner.specialists.features import Featuriser, Tokens
from meta_learner.specialists.network import Layout, Specialist, token_width, whole

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


@dataclass(frozen=True)
class Options:
    """width: of the state; cell: of the recurrence; layers: of it."""

    width: int = 64
    cell: Literal["gru", "lstm"] = "lstm"
    layers: int = 1


class RL2(Specialist):
    """Token → state; the state decides."""

    family = "rl2"

    def __init__(self, featuriser: Featuriser, layout: Layout, options: Options) -> None:
        super().__init__(featuriser, layout, options)
        self.enter = nn.Sequential(nn.Linear(token_width(featuriser), options.width), nn.GELU())
        self.memory = CELLS[options.cell](options.width, options.width, options.layers, batch_first=True)

    def encode(self, tokens: Tokens) -> Tensor:
        states: Tensor = self.memory(self.enter(whole(tokens)))[0]
        return states
