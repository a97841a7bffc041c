"""Meta-training as two loops: outer over tasks, inner the exact update of beliefs within each task.

Stage 1 imitates look-ahead (``lessons``), stage 2 improves on it by policy gradient (``improvement``).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from domains import randomness
from meta_learner.experimenter.network import Experimenter, Shape
from meta_learner.streams import stream
from meta_learner.training import improvement
from meta_learner.training.curriculum import Curriculum
from meta_learner.training.lessons import Learned
from meta_learner.training.ranks import distributed
from meta_learner.training.tasks import Tables, Task


@dataclass(frozen=True)
class Stage:
    """steps of ``batch`` games each; rate: the highest; runs: of every game, for the baseline (stage 2); even: at this
    rate throughout, for as long as there is time."""

    steps: int
    batch: int = 32
    rate: float = 3e-3
    runs: int = 8
    even: bool = False

    def rate_at(self, step: int) -> float:
        """Up over the first twentieth, then down by half a cosine."""
        if self.even:
            return self.rate
        warm = max(1, self.steps // 20)
        return self.rate * min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / self.steps)))


@dataclass(frozen=True)
class Plan:
    """tasks: each with its weight; curriculum: how much of it goes by learning progress (``curriculum``), 0 to 1, while
    imitating; mixed: the network in bfloat16, its parameters and all else in their own precision."""

    tasks: tuple[tuple[float, Task], ...]
    imitate: Stage
    improve: Stage
    seed: int = 0
    shape: Shape = field(default_factory=Shape)
    curriculum: float = 0.0
    mixed: bool = False

    @property
    def steps(self) -> int:
        return self.imitate.steps + self.improve.steps


class Training:
    """A network being trained, and all that decides how it goes on: optimiser, curriculum, step.

    Every step has a stream of its own, (seed, rank, step). episodes: games and decisions seen so far, experiments:
    decided on in them, by all ranks together.
    """

    def __init__(self, plan: Plan, network: Experimenter | None = None) -> None:
        """network: one that has learned before; those of its parameters that ask for no gradient stay as they are."""
        self.plan, self.step, self.episodes, self.experiments = plan, 0, 0, 0
        self.network = _untrained(plan) if network is None else network
        self.network.mixed = plan.mixed
        self.learner, self.rank, self.ranks = distributed(self.network)
        learning = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(learning, lr=plan.imitate.rate, weight_decay=1e-4)
        self.curriculum = Curriculum(plan.tasks, plan.curriculum)
        self.generator = stream(plan.seed, self.rank, 0, "training")

    def run(self) -> Iterator[float]:
        """The rest of the training. After every step: the regret, a share (stage 1), or what was gained, a share."""
        while self.step < self.plan.steps:
            imitating = self.step < self.plan.imitate.steps
            self.generator = stream(self.plan.seed, self.rank, self.step, "training")
            stage, begun = (self.plan.imitate, 0) if imitating else (self.plan.improve, self.plan.imitate.steps)
            lessons = self._imitate() if imitating else [self._improve()]
            self._learn(torch.stack([lesson.loss for lesson in lessons]).mean(), stage.rate_at(self.step - begun))
            self.step += 1
            self.experiments += self.ranks * sum(lesson.decisions for lesson in lessons)
            yield sum(lesson.told for lesson in lessons) / len(lessons)

    def state(self) -> dict[str, Tensor]:
        """All of it, as named tensors."""
        parts = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for index, moments in self.optimiser.state_dict()["state"].items():
            parts |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
        counts = torch.tensor([self.step, self.episodes, self.experiments])
        return parts | {"curriculum": self.curriculum.seen, "counts": counts}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on where ``state`` was taken, to the same bits. ValueError: it is another network's."""
        network = {name[8:]: value for name, value in state.items() if name.startswith("network.")}
        try:
            self.network.load_state_dict(network)
        except RuntimeError as error:
            raise ValueError(f"the checkpoint does not fit the recipe's network: {error}") from error
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in state.items():
            if name.startswith("optimiser."):
                _, index, kind = name.split(".")
                moments.setdefault(int(index), {})[kind] = value
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": moments})
        self.curriculum.seen = state["curriculum"].clone()
        self.step, self.episodes, self.experiments = (int(count) for count in state["counts"])

    def _imitate(self) -> list[Learned]:
        index, stage = self.curriculum.draw(self.generator), self.plan.imitate
        task = self.plan.tasks[index][1]
        self.episodes += self.ranks * stage.batch * task.runs
        lessons = list(task.lessons(self.learner, stage.batch, self.generator))
        self.curriculum.learned(index, sum(lesson.told for lesson in lessons) / len(lessons))
        return lessons

    def _improve(self) -> Learned:
        tables = [(weight, task) for weight, task in self.plan.tasks if isinstance(task, Tables)]
        weights = torch.tensor([weight for weight, _ in tables])
        task, stage = tables[int(randomness.choices(weights, 1, self.generator))][1], self.plan.improve
        self.episodes += self.ranks * stage.batch * stage.runs
        return improvement.learned(self.learner, task, batch=stage.batch, runs=stage.runs, generator=self.generator)

    def _learn(self, loss: Tensor, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()


def _untrained(plan: Plan) -> Experimenter:
    with torch.random.fork_rng():
        torch.manual_seed(plan.seed)
        return Experimenter(plan.shape)
