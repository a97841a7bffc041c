"""Training a specialist on one domain: fresh worlds at every update, experiments counted, resumable to the bit.

Families are compared at equal numbers of simulated experiments, so that is what a recipe's length and its learning rate
go by; the worlds that contrasts stand for are never experimented in.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from domains import randomness
from domains.worlds import DomainModel
from meta_learner.specialists import contrastive_gradient, policy_gradient
from meta_learner.specialists.deep_adaptive_design import DeepAdaptiveDesign
from meta_learner.specialists.episodes import Episodes
from meta_learner.specialists.network import Specialist
from meta_learner.specialists.play import play
from meta_learner.specialists.policy_gradient import Clipping


@dataclass(frozen=True)
class Recipe:
    """experiments: simulated in all, but for the update at which that many are reached; episodes: at a time; contrasts
    of each; rate: the first, of Adam, falling by half a cosine; clipping: of the policy gradient; largest: norm of a
    gradient; budget: of an episode, the domain's own where None."""

    experiments: int = 200_000
    episodes: int = 64
    contrasts: int = 256
    rate: float = 3e-3
    clipping: Clipping = field(default_factory=Clipping)
    largest: float = 1.0
    budget: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """After an update. gained: mean over its episodes of what the score rose by; score: its mean at their end;
    updates, episodes and experiments: all so far; skipped: updates without a finite gradient; seconds: of this one."""

    updates: int
    episodes: int
    experiments: int
    gained: float
    score: float
    skipped: int
    seconds: float


class Trainer:
    """A network, its optimiser and its stream of draws. ``state`` and ``restore`` are all of it, as tensors."""

    def __init__(self, network: Specialist, model: DomainModel, recipe: Recipe) -> None:
        self.network, self.recipe, self._model = network, recipe, model
        self._optimiser = torch.optim.Adam(network.parameters(), lr=recipe.rate, eps=1e-5)
        self._generator = randomness.generator(recipe.seed)
        self._way = contrastive_gradient.way(model) if isinstance(network, DeepAdaptiveDesign) else None
        self.updates = self.experiments = self.skipped = 0

    @property
    def done(self) -> bool:
        """Whether the recipe's experiments have been simulated."""
        return self.experiments >= self.recipe.experiments

    def update(self) -> Progress:
        """One batch of episodes and what is learned from it."""
        started, recipe = time.perf_counter(), self.recipe
        share = min(1.0, self.experiments / recipe.experiments)
        for group in self._optimiser.param_groups:
            group["lr"] = recipe.rate * (0.5 + 0.5 * math.cos(math.pi * share))
        episodes = Episodes(
            self._model,
            episodes=recipe.episodes,
            contrasts=recipe.contrasts,
            generator=self._generator,
            budget=recipe.budget,
        )
        self._learn(episodes)
        self.updates += 1
        self.experiments += episodes.experiments
        return Progress(
            updates=self.updates,
            episodes=self.updates * recipe.episodes,
            experiments=self.experiments,
            gained=(episodes.score - episodes.start).mean().item(),
            score=episodes.score.mean().item(),
            skipped=self.skipped,
            seconds=time.perf_counter() - started,
        )

    def _learn(self, episodes: Episodes) -> None:
        if self._way is not None:
            self.descend(contrastive_gradient.loss(self.network, episodes, self._way))
            return
        played = play(self.network, episodes, self._generator)
        for loss in policy_gradient.losses(self.network, played, self.recipe.clipping):
            self.descend(loss)

    def descend(self, loss: Tensor) -> None:
        """Down a clipped gradient; not at all where it is not finite, which is counted."""
        self._optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.largest)
        if bool(norm.isfinite()):
            self._optimiser.step()
        else:
            self.skipped += 1

    def state(self) -> dict[str, Tensor]:
        """Copies of all that the next update depends on."""
        found = {f"network/{name}": value for name, value in self.network.state_dict().items()}
        for index, entries in self._optimiser.state_dict()["state"].items():
            found |= {f"optimiser/{index}/{name}": value for name, value in entries.items()}
        found["generator"] = self._generator.get_state()
        found["counts"] = torch.tensor([self.updates, self.experiments, self.skipped])
        return {name: value.detach().clone() for name, value in found.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from a ``state`` of a trainer with the same network, domain and recipe."""
        self.network.load_state_dict(_below("network/", state))
        entries: dict[int, dict[str, Tensor]] = {}
        for name, value in _below("optimiser/", state).items():
            index, entry = name.split("/")
            entries.setdefault(int(index), {})[entry] = value
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": entries, "param_groups": groups})
        self._generator.set_state(state["generator"].cpu())
        self.updates, self.experiments, self.skipped = state["counts"].tolist()


def _below(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value.clone() for name, value in state.items() if name.startswith(prefix)}


def train(trainer: Trainer) -> Iterator[Progress]:
    """Improve the trainer's network in place until its recipe is done; between two updates it may be left, and gone on
    with later."""
    while not trainer.done:
        yield trainer.update()
