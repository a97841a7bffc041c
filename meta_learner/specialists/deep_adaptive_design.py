"""Deep adaptive design: experiments are encoded one by one and added up, so that their order does not matter.

Foster, Ivanova, Malik & Rainforth 2021, Deep adaptive design: amortizing sequential Bayesian experimental design, ICML.
Trained on sPCE by its own gradient (``contrastive_gradient``) where designs are real, free and without constraints
and the goal is to learn everything; elsewhere by the policy gradient of the goal's score, as the others are
(Blau, Bonilla, Chades & Dezfouli 2022, Optimizing sequential experimental design with deep reinforcement learning).
Unlike the paper's, the emitter is also told what is left of the budget.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from meta_learner.specialists.features import LEFT, Featuriser, Tokens
from meta_learner.specialists.network import Layout, Specialist, perceptron


@dataclass(frozen=True)
class Options:
    """width: of the code of an experiment, and of hidden layers."""

    width: int = 64


class DeepAdaptiveDesign(Specialist):
    """Emitter(Σ over experiments of encoder(design, outcome), budget)."""

    family = "deep-adaptive-design"

    def __init__(self, featuriser: Featuriser, layout: Layout, options: Options) -> None:
        super().__init__(featuriser, layout, options)
        width = options.width
        self.encoder = perceptron(featuriser.experiment, 2 * width, width)
        self.emitter = nn.Sequential(perceptron(width + LEFT, width, width), nn.GELU())

    def encode(self, tokens: Tokens) -> Tensor:
        codes = self.encoder(tokens.experiment) * tokens.happened[..., None]
        out: Tensor = self.emitter(torch.cat([codes.cumsum(1), tokens.left], dim=-1))
        return out
