"""A curriculum by learning progress: more of what is being learned now, over horizon, size and noise of the games.

Tasks of one ``group`` (kind, size and horizon of a table; decisions in domains) share their progress, the difference
between a fast and a slow moving average of their regret, r_f ← r_f + a_f (r − r_f): 0 both where all is learned and
where nothing can be. p(group) ∝ weight × ((1 − share) + share × progress ÷ the mean progress), within a group by
weight. Oudeyer, Kaplan & Hafner 2007, Intrinsic motivation systems; Graves et al. 2017, Automated curriculum learning;
Kanitscheider et al. 2021 (the two averages).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from domains import randomness
from meta_learner.training.tasks import Task

_FAST, _SLOW = 0.3, 0.05
_KNOWN = 4  # lessons after which a group's progress is believed
_LEAST = 1e-9


class Curriculum:
    """Which task comes next. seen [groups, 3]: lessons so far, fast and slow average."""

    def __init__(self, tasks: Sequence[tuple[float, Task]], share: float) -> None:
        groups = sorted({task.group for _, task in tasks})
        self.group = torch.tensor([groups.index(task.group) for _, task in tasks], device="cpu")
        self.weight = torch.tensor([weight for weight, _ in tasks], dtype=torch.float64, device="cpu")
        self.share = share
        self.seen = torch.zeros((len(groups), 3), dtype=torch.float64, device="cpu")

    def draw(self, generator: torch.Generator) -> int:
        """The index of a task."""
        return int(randomness.choices(self.chance, 1, generator))

    @property
    def chance(self) -> Tensor:
        """Of every task, up to a factor [tasks]."""
        return self.weight * (1.0 - self.share + self.share * self.progress)[self.group]

    @property
    def progress(self) -> Tensor:
        """Of every group, in units of the mean over those that are known; 1 for the others [groups]."""
        lessons, fast, slow = self.seen.unbind(1)
        known = lessons >= _KNOWN
        progress = (fast - slow).abs()
        mean = progress[known].mean().clamp_min(_LEAST) if bool(known.any()) else torch.ones(())
        return torch.where(known, progress / mean, 1.0)

    def learned(self, index: int, regret: float) -> None:
        """That the task at ``index`` was met with such a regret."""
        seen = self.seen[self.group[index]]
        first = bool(seen[0] == 0)
        for place, rate in ((1, _FAST), (2, _SLOW)):
            seen[place] += (1.0 if first else rate) * (regret - seen[place])
        seen[0] += 1
