"""The baseline: an ordinary actor-critic whose state is the list of its experiments, without memory or structure.

Advantage actor-critic with clipped steps (Schulman et al. 2017) on a perceptron, trained from zero on the domain at
hand. What recurrence, attention, pooling or adaptation are worth is read against it.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import pad

from meta_learner.specialists.features import Featuriser, Tokens
from meta_learner.specialists.network import Layout, Specialist, perceptron, token_width, whole


@dataclass(frozen=True)
class Options:
    """width: of both hidden layers; window: how many of the last experiments it is shown, in order."""

    width: int = 64
    window: int = 12


class Scratch(Specialist):
    """The last tokens side by side, zeros where there are none yet → perceptron."""

    family = "scratch"

    def __init__(self, featuriser: Featuriser, layout: Layout, options: Options) -> None:
        super().__init__(featuriser, layout, options)
        self.window = options.window
        entries = options.window * token_width(featuriser)
        self.hidden = nn.Sequential(perceptron(entries, options.width, options.width), nn.GELU())

    def encode(self, tokens: Tokens) -> Tensor:
        padded = pad(whole(tokens), (0, 0, self.window - 1, 0))
        out: Tensor = self.hidden(padded.unfold(1, self.window, 1).flatten(2))
        return out
