"""What all specialists share: history tokens → a distribution over designs, and the value of going on.

An ordered setting (real, integer, levels) is Φ(latent) in the unit cube, with a normal latent of learned mean and
scale: N(0, 1), where learning starts, is uniform. A choice has a logit an option.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Generator, Tensor, nn
from torch.special import ndtr

from domains import randomness
from domains.worlds import DomainModel
from meta_learner.specialists.features import LEFT, Featuriser, Tokens

_BELOW_ONE = 1.0 - 2.0**-53
_SMALL = 0.1  # of the design head's first weights


@dataclass(frozen=True)
class Decision:
    """Distributions over designs, and values. mean, log_sd [..., ordered columns] of the latents; logits [..., options]
    of each choice; value [...]: the score still to be gained."""

    mean: Tensor
    log_sd: Tensor
    logits: tuple[Tensor, ...]
    value: Tensor

    def mode(self) -> Tensor:
        """The most likely action [..., ordered + choices]: latents, then indices of options."""
        options = [logits.argmax(-1, keepdim=True).to(self.mean.dtype) for logits in self.logits]
        return torch.cat([self.mean, *options], dim=-1)

    def sample(self, generator: Generator) -> Tensor:
        """A drawn action [..., ordered + choices]."""
        noise = randomness.normal(self.mean.shape, generator).to(self.mean.dtype)
        options = [randomness.choices(logits.softmax(-1), 1, generator).to(noise.dtype) for logits in self.logits]
        return torch.cat([self.mean + self.log_sd.exp() * noise, *options], dim=-1)

    def log_probability(self, action: Tensor) -> Tensor:
        """Log density of latents, log probability of options, up to a constant [...]."""
        ordered = self.mean.shape[-1]
        off = (action[..., :ordered] - self.mean) * (-self.log_sd).exp()
        total = (-0.5 * off.square() - self.log_sd).sum(-1)
        for place, logits in enumerate(self.logits):
            option = action[..., ordered + place, None].long()
            total = total + logits.log_softmax(-1).gather(-1, option)[..., 0]
        return total

    def entropy(self) -> Tensor:
        """Of the action, up to a constant [...]."""
        total = self.log_sd.sum(-1)
        for logits in self.logits:
            total = total - (logits.softmax(-1) * logits.log_softmax(-1)).sum(-1)
        return total


class Layout:
    """Which columns of a design space are ordered, and which are choices among how many options.

    names: of the settings and of the outcomes, by which a domain is told from another.
    """

    def __init__(self, model: DomainModel) -> None:
        space = model.space
        self.names = (space.names, model.outcome_names)
        self.ordered = [place for place, design in enumerate(space.designs) if design.kind != "choice"]
        self.choices = [place for place, design in enumerate(space.designs) if design.kind == "choice"]
        self.options = [len(space.designs[place].options) for place in self.choices]

    def unit(self, action: Tensor) -> Tensor:
        """Actions [..., ordered + choices] → points of the unit cube [..., columns], float64."""
        count = len(self.ordered)
        columns: list[Tensor] = [action[..., 0]] * (count + len(self.choices))
        for index, place in enumerate(self.ordered):
            columns[place] = ndtr(action[..., index].to(torch.float64))
        for index, (place, options) in enumerate(zip(self.choices, self.options, strict=True)):
            columns[place] = (action[..., count + index].to(torch.float64) + 0.5) / options
        return torch.stack(columns, dim=-1).clamp(0.0, _BELOW_ONE)


class FamilyOptions(Protocol):
    """A family's options."""

    @property
    def width(self) -> int: ...


class Specialist(nn.Module, ABC):
    """A family's network: its ``encode`` is the family's own, the heads are the same for all.

    options: the family's own, frozen; their ``width`` is that of what ``encode`` gives.
    """

    family: str

    def __init__(self, featuriser: Featuriser, layout: Layout, options: FamilyOptions) -> None:
        super().__init__()
        self.featuriser, self.layout, self.options = featuriser, layout, options
        width = options.width
        self.design = nn.Linear(width, len(layout.ordered) + sum(layout.options))
        self.log_sd = nn.Parameter(torch.zeros(len(layout.ordered)))
        self.value = nn.Linear(width, 1)
        with torch.no_grad():
            self.design.weight.mul_(_SMALL)
            self.design.bias.zero_()

    @abstractmethod
    def encode(self, tokens: Tokens) -> Tensor:
        """What is made of the history before every experiment, and of nothing later [rows, steps, width]."""

    def forward(self, tokens: Tokens) -> Decision:
        """The decisions at every step of whole histories [rows, steps]."""
        return self.decide(self.encode(tokens))

    def latest(self, tokens: Tokens) -> Decision:
        """The decisions after all of the history [rows]."""
        return self.decide(self.encode(tokens)[:, -1])

    def decide(self, encoded: Tensor) -> Decision:
        """Heads on [..., width]."""
        ordered = len(self.layout.ordered)
        mean, *logits = self.design(encoded).split([ordered, *self.layout.options], dim=-1)
        return Decision(mean, self.log_sd.expand_as(mean), tuple(logits), self.value(encoded)[..., 0])


def perceptron(*widths: int) -> nn.Sequential:
    """Linear layers of these widths with GELU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.GELU()]
    return nn.Sequential(*layers[:-1])


def token_width(featuriser: Featuriser) -> int:
    """Features of an experiment and of the budget together."""
    return featuriser.experiment + LEFT + 1


def whole(tokens: Tokens) -> Tensor:
    """All of every token [rows, steps, token_width]."""
    return torch.cat([tokens.experiment, tokens.happened[..., None], tokens.left], dim=-1)
