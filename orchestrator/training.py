"""Training as a piece of work: it can be interrupted at any moment, goes on where it was, and is on record.

The universal policy is trained by a recipe, a specialist on a domain. One file holds the state,
written whole every minute; the record holds recipe, curve, hardware and commit; an agent, with its card, comes of it
whenever it stops.
"""

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments_db import trainings
from experiments_db.database import Database
from experiments_db.models import Training as TrainingRow
from experiments_db.models import now_utc
from meta_learner.agents.store import Stored
from meta_learner.evaluation.results import provenance
from meta_learner.training.recipe import TrainingRecipe
from orchestrator.agents import agent_store, check_new_name
from orchestrator.device import placed
from orchestrator.errors import OrganonError
from orchestrator.learners import Learner, specialist, universal
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from meta_learner.specialists.session import Plan

STATE, _ABOUT = "training.safetensors", "training"  # the file; the entry of its metadata
_EVERY = 60.0  # seconds between two checkpoints
_PATIENCE, _LOOK = 10.0, 0.1  # seconds for which another sitting's end is waited for, and between two looks
Told = Callable[[int, int, float], None]  # steps done, of how many, and what the last one gave


def train(
    settings: Settings,
    database: Database,
    what: "TrainingRecipe | Plan",
    *,
    seconds: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
    told: Told = lambda _step, _steps, _value: None,
) -> tuple[TrainingRow, Stored]:
    """Train by a recipe, or a specialist by its plan, to the end, until so many seconds have passed, or until
    ``stopped``; go on where the folder's state was. Returns the record, and the agent. OrganonError, before anything is
    done, where the folder holds another recipe's training, or another agent has the recipe's name."""
    asked = _asked(what)
    check_new_name(settings, asked.name, asked.same)
    folder = settings.make_home() / "training" / asked.name
    with _alone(folder), placed(settings.device):
        learner, row = _begun(folder, asked, settings.device)
        _keep(database, folder, learner, row)
        _run(learner, _Sitting(seconds, stopped, told), keep=lambda: _keep(database, folder, learner, row))
        row.status = "finished" if learner.step() >= row.steps else "stopped"
        card, weights = learner.packed({"machine": row.hardware, "commit": row.commit})
        agent = agent_store(settings).save(card, weights, replace=True)  # in the place of what it gave before
        row.weights = agent.card.weights.sha256
        return _keep(database, folder, learner, row), agent


@dataclass(frozen=True)
class _Asked:
    """What is to be trained. recipe: as the record and cards keep it; same: whether one that was kept is that; begin:
    on the device."""

    name: str
    recipe: dict[str, Any]
    same: Callable[[Any], bool]
    begin: Callable[[], Learner]


@dataclass(frozen=True)
class _Sitting:
    """For how long; told: of every step."""

    seconds: float | None
    stopped: Callable[[], bool]
    told: Told


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else trains in this folder meanwhile: two would write over each other's state. Who was told to stop has
    some seconds to do so."""
    locks = folder.parents[1] / "locks"  # not in the folder: of a training that cannot begin nothing is left there
    locks.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _PATIENCE
    with (locks / f"training-{folder.name}").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise OrganonError(
                        f"{folder.name!r} is being trained by another process; stop that first"
                    ) from None
                time.sleep(_LOOK)
        yield


def _asked(what: "TrainingRecipe | Plan") -> _Asked:
    if isinstance(what, TrainingRecipe):
        plain = what.model_dump(mode="json", by_alias=True)
        return _Asked(what.name, plain, what.is_that_of, partial(universal, what))
    plain = what.plain()
    return _Asked(what.name, plain, plain.__eq__, partial(specialist, what))


def _run(learner: Learner, sitting: _Sitting, *, keep: Callable[[], object]) -> None:
    begun = kept = time.monotonic()
    for value in learner.session.run():
        sitting.told(learner.step(), learner.steps, value)
        now = time.monotonic()
        if sitting.stopped() or (sitting.seconds is not None and now - begun >= sitting.seconds):
            return
        if now - kept > _EVERY:
            keep()
            kept = now


def _begun(folder: Path, asked: _Asked, device: str) -> tuple[Learner, TrainingRow]:
    """A new training and its row of the record, or those that the folder holds."""
    learner, about = asked.begin(), provenance(device)
    row = TrainingRow(
        agent=asked.name,
        recipe=asked.recipe,
        steps=learner.steps,
        hardware=about["machine"],
        commit=about["commit"],
    )
    path = folder / STATE
    if path.exists():
        kept = _restore(learner, path, asked)
        row.id, row.created_at = kept["id"], datetime.fromisoformat(kept["created"])
        learner.session.seconds = kept["seconds"]
        learner.session.curve = [(step, value) for step, value in kept["curve"]]
    return learner, row


def _restore(learner: Learner, path: Path, asked: _Asked) -> dict[str, Any]:
    """Put a training where a file left it; what else the file tells."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            kept: dict[str, Any] = json.loads(file.metadata()[_ABOUT])
            if not asked.same(kept["recipe"]):
                raise OrganonError(
                    f"{path} is the training of another recipe of the name {asked.name!r}; choose another name "
                    "(name: of a recipe, --name of a specialist), or move that file away"
                )
            learner.restore({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118  (no dictionary)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise OrganonError(
            f"{path} does not go on in this version of Organon ({error}); move that file away to begin anew"
        ) from None
    return kept


def _keep(database: Database, folder: Path, learner: Learner, row: TrainingRow) -> TrainingRow:
    """On the disk, whole, then in the record."""
    from safetensors.torch import save_file

    session = learner.session
    row.step, row.seconds, row.curve = learner.step(), session.seconds, [list(point) for point in session.curve]
    row.updated_at = now_utc()
    about = {
        "id": row.id,
        "recipe": row.recipe,
        "created": row.created_at.isoformat(),
        "seconds": row.seconds,
        "curve": row.curve,
    }
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{STATE}.partial"
    state = {name: value.detach().cpu().contiguous() for name, value in learner.state().items()}
    save_file(state, draft, metadata={_ABOUT: json.dumps(about)})
    draft.replace(folder / STATE)
    with database.write() as transaction:
        trainings.save_training(transaction, row.model_copy())
    return row
