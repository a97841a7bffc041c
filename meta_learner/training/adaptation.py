"""Few-shot adaptation: an experimenter that has learned on many domains goes on learning on one.

The lessons are those of meta-training (``KnownDomains``): decisions that may come up in runs of the domain, with a
teacher that looks two experiments ahead through hypotheses of its own. They use the document's laws and priors, and no
outcome of any world. What may change: ``all`` weights; the ``head`` after the attention alone (ANIL: Raghu et al. 2020,
Rapid learning or feature reuse?); or a ``low-rank`` change of every linear map, W + B A with B = 0 at first (Hu et al.
2022, LoRA).
"""

import copy
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from domains import randomness
from meta_learner.experimenter.network import Experimenter
from meta_learner.training.decisions import KnownDomains
from meta_learner.training.session import Session
from meta_learner.training.training import Plan, Stage, Training

Which = Literal["all", "head", "low-rank"]
WHICH: tuple[Which, ...] = get_args(Which)
_RANK = 4


def adapting(network: Experimenter, task: KnownDomains, *, which: Which, stage: Stage, seed: int = 0) -> Session:
    """A session that adapts a copy of the network to decisions of one domain; ``adapted`` takes it out."""
    learner = copy.deepcopy(network)
    learner.requires_grad_(which == "all")
    if which == "head":
        for part in (learner.leave, learner.residual, learner.worth):
            part.requires_grad_(True)
    if which == "low-rank":
        generator = randomness.generator(seed)
        for part in [part for part in learner.modules() if isinstance(part, nn.Linear)]:
            parametrize.register_parametrization(part, "weight", _LowRank(part.weight, generator))
    plan = Plan(((1.0, task),), stage, Stage(0), seed, network.shape)
    return Session(Training(plan, learner))


def adapted(session: Session) -> Experimenter:
    """The network as it is now, with the same parameters as before."""
    learner = copy.deepcopy(session.training.network)
    for part in learner.modules():
        if parametrize.is_parametrized(part):
            parametrize.remove_parametrizations(part, "weight", leave_parametrized=True)
    return learner.requires_grad_(True)


class _LowRank(nn.Module):
    """W → W + B A, of rank 4 at most."""

    def __init__(self, weight: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        out, into = weight.shape
        draws = randomness.normal((min(_RANK, out, into), into), generator).to(weight.dtype)
        self.a = nn.Parameter(draws / into**0.5)
        self.b = nn.Parameter(weight.new_zeros(out, len(draws)))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.b @ self.a
