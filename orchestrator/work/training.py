"""The job ``train``: slices of one training that goes on where it was.

A slice ends when others wait for the worker, and keeps its checkpoint, its row and its agent. One that was cancelled
does so, too, within half a second: what it has learned by then is an agent, and goes on from there when asked for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from experiments_db import jobs, trainings
from experiments_db.errors import ConflictError
from meta_learner.training.recipe import TrainingRecipe
from orchestrator import training
from orchestrator.job_work import Work

_TELL_SECONDS = 0.5


def train(work: Work) -> dict[str, Any] | None:
    """The next slice; the result once it is as long as was asked for."""
    recipe = TrainingRecipe.model_validate(work.arguments["recipe"])
    slice_ = _Slice(work, _seconds_before(work, recipe))
    row, _ = training.train(work.settings, work.database, recipe, stopped=slice_.stopped, told=slice_.told)
    if slice_.cancelled is not None:
        raise slice_.cancelled
    if row.status != "finished" and not slice_.long_enough:
        return None
    about = {"agent": row.agent, "training": row.id, "status": row.status}
    return {**about, "step": row.step, "steps": row.steps, "seconds": row.seconds}


@dataclass
class _Slice:
    """before: seconds that the training had taken when the slice began; step: how far it is."""

    work: Work
    before: float
    step: int = 0
    cancelled: ConflictError | None = None
    begun: float = field(default_factory=time.monotonic)
    told_at: float = 0.0

    def stopped(self) -> bool:
        """Whether to end the slice."""
        return self.cancelled is not None or self.work.time_is_up or self.long_enough

    @property
    def long_enough(self) -> bool:
        """Whether the training is as long as was asked for."""
        given, reached = self.work.arguments, self.work.arguments["from"]
        by_steps = given["steps"] is not None and self.step - reached["step"] >= given["steps"]
        by_time = given["seconds"] is not None and self._seconds - reached["seconds"] >= given["seconds"]
        return by_steps or by_time

    def told(self, step: int, steps: int, value: float) -> None:
        """Say how far it is, now and then; a job that was cancelled ends in good order."""
        self.step = step
        now = time.monotonic()
        if now - self.told_at < _TELL_SECONDS and step < steps:
            return
        self.told_at = now
        self._say(lambda: self.work.tell(self._share(step, steps), f"step {step:,} of {steps:,}, {value:.3f}"))

    def _say(self, say: Callable[[], None]) -> None:
        try:
            say()
        except ConflictError as error:
            if not _was_cancelled(self.work):
                raise  # another worker has it: its checkpoint is not to be written over
            self.cancelled = error

    @property
    def _seconds(self) -> float:
        return self.before + time.monotonic() - self.begun

    def _share(self, step: int, steps: int) -> float:
        """Of what was asked for."""
        given, reached = self.work.arguments, self.work.arguments["from"]
        shares = [(step - reached["step"]) / max(1, steps - reached["step"])]
        if given["steps"] is not None:
            shares.append((step - reached["step"]) / max(1, given["steps"]))
        if given["seconds"] is not None:
            shares.append((self._seconds - reached["seconds"]) / max(given["seconds"], 1e-9))
        return max(0.0, min(1.0, max(shares)))


def _seconds_before(work: Work, recipe: TrainingRecipe) -> float:
    with work.database.read() as session:
        newest = next(iter(trainings.trainings_of(session, recipe.name, limit=1)), None)
    return newest.seconds if newest is not None and recipe.is_that_of(newest.recipe) else 0.0


def _was_cancelled(work: Work) -> bool:
    with work.database.read() as session:
        return jobs.get_job(session, work.job.id).status == "cancelled"
