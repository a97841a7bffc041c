"""Model-agnostic meta-learning: gradient steps on the episode's own experiments adapt the network to its world.

Finn, Abbeel & Levine 2017, Model-agnostic meta-learning for fast adaptation of deep networks, ICML. A world is the
task. Rewards need the hidden truth, so the inner loss must do without them (Yang et al. 2019, NoRML: no-reward meta
learning): a surrogate f_φ(design) is fitted to what came back, φ' = φ − α ∇_φ L(φ), with

    L = mean over experiments of Σ (f_φ(ξ) − (y, 1))² ÷ 2

over the outcomes that came back and a constant 1, which shows where experiments were made. One such step from a deep
network can represent any learning procedure (Finn & Levine 2018). The decision is made from what f_φ' says of a few
learned probe designs and from the budget, and the outer loss, a policy gradient, is taken through the inner steps.
first_order: not through the inner gradient (FOMAML); head_only: only the last layer adapts (ANIL: Raghu, Raghu,
Bengio & Vinyals 2020, Rapid learning or feature reuse?, ICLR). The rate α is learned (Li et al. 2017, Meta-SGD).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from domains import randomness
from meta_learner.specialists.features import LEFT, Featuriser, Tokens
from meta_learner.specialists.network import Decision, Layout, Specialist, perceptron

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Options:
    """width: of hidden layers; probes: designs at which the surrogate is asked; steps of the inner loop, with rate."""

    width: int = 32
    probes: int = 8
    steps: int = 2
    rate: float = 0.3
    first_order: bool = False
    head_only: bool = False


class MAML(Specialist):
    """Adapted surrogate at the probes, and budget → perceptron."""

    family = "maml"

    def __init__(self, featuriser: Featuriser, layout: Layout, options: Options) -> None:
        super().__init__(featuriser, layout, options)
        self.inner, width, says = options, options.width, featuriser.outcomes + 1
        self.surrogate = nn.Sequential(
            nn.Linear(featuriser.designs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, says)
        )
        self.log_rate = nn.Parameter(torch.tensor(math.log(options.rate)))
        spread = randomness.sobol(featuriser.designs, scrambled=0)(options.probes)
        self.probes = nn.Parameter((2.0 * spread - 1.0).to(torch.float32))
        self.emitter = nn.Sequential(perceptron(options.probes * says + LEFT, width, width), nn.GELU())

    def encode(self, tokens: Tokens) -> Tensor:
        rows, steps = tokens.happened.shape
        seen = torch.ones((steps, steps), dtype=tokens.happened.dtype).tril()  # [prefixes, experiments]
        prefixes = [part[:, None].expand(-1, steps, *part.shape[1:]).flatten(0, 1) for part in self.examples(tokens)]
        weight = prefixes[2] * seen.repeat(rows, 1)[..., None]
        said = self.said(self.adapted(prefixes[0], prefixes[1], weight)).unflatten(0, (rows, steps))
        return self._emit(said, tokens.left)

    def latest(self, tokens: Tokens) -> Decision:
        said = self.said(self.adapted(*self.examples(tokens)))
        return self.decide(self._emit(said, tokens.left[:, -1]))

    def adapted(self, designs: Tensor, targets: Tensor, weight: Tensor) -> Weights:
        """φ' [tasks, …] after the inner steps, from designs [tasks, examples, features] and targets and their weight
        [tasks, examples, says]; parameters that do not adapt are expanded."""
        tasks = len(designs)
        start = {name: value.expand(tasks, *value.shape) for name, value in self.surrogate.named_parameters()}
        last = f"{len(self.surrogate) - 1}."
        fast = {n: v for n, v in start.items() if n.startswith(last) or not self.inner.head_only}
        slow = {name: value for name, value in start.items() if name not in fast}
        slope = vmap(grad(self.inner_loss))
        for _ in range(self.inner.steps):
            slopes = slope(fast, slow, designs, targets, weight)
            if self.inner.first_order:
                slopes = {name: value.detach() for name, value in slopes.items()}
            fast = {name: value - self.log_rate.exp() * slopes[name] for name, value in fast.items()}
        return {**slow, **fast}

    def said(self, weights: Weights) -> Tensor:
        """What adapted surrogates say of the probes [tasks, probes · says]."""
        return vmap(self._surrogate, in_dims=(0, None))(weights, self.probes).flatten(1)

    def _surrogate(self, weights: Weights, designs: Tensor) -> Tensor:
        out: Tensor = functional_call(self.surrogate, weights, (designs,))
        return out

    def inner_loss(self, fast: Weights, slow: Weights, designs: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
        """L of one task, of weights that adapt and weights that do not."""
        off = self._surrogate({**slow, **fast}, designs) - targets
        count = weight[..., -1].sum().clamp_min(1.0)
        return 0.5 * (weight * off.square()).sum() / count

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor, Tensor]:
        """Designs, targets, and which targets there are."""
        happened = tokens.happened[..., None]
        return (
            tokens.design,
            torch.cat([tokens.outcome, torch.ones_like(happened)], dim=-1),
            torch.cat([tokens.came, happened], dim=-1),
        )

    def _emit(self, said: Tensor, left: Tensor) -> Tensor:
        out: Tensor = self.emitter(torch.cat([said, left], dim=-1))
        return out
