"""Meta-training as a piece of work: it can be interrupted at any moment, goes on where it was, and is on record.

One file holds the state, written whole every minute; the record holds recipe, curve, hardware and commit; an agent,
with its card, comes of it whenever it stops.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from domains.document import GoalKind
from experiments_db import record
from experiments_db.database import Database
from experiments_db.models import Training as TrainingRow
from experiments_db.models import now_utc
from meta_learner.agents.store import Stored
from meta_learner.evaluation.results import provenance
from meta_learner.training.recipe import TrainingRecipe
from orchestrator.agents import agent_store
from orchestrator.device import placed
from orchestrator.errors import OrganonError
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from meta_learner.training.training import Training

STATE, _ABOUT = "training.safetensors", "training"  # the file; the entry of its metadata
_EVERY = 60.0  # seconds between two checkpoints
_POINTS = 200  # of the curve, at most
_LIMITS = (
    "Decides among the candidates that expected-information-gain finds, by a table of 64 hypotheses, 16 designs and 16 "
    "outcomes; for a batch's later designs it takes greedy's. Trained with budgets of a few experiments."
)
Told = Callable[[int, float], None]  # steps done, and what the last one gave


@dataclass
class Progress:
    """How far a training has come. curve: (step, mean since the last point)."""

    row: TrainingRow
    seconds: float = 0.0
    curve: list[tuple[int, float]] = field(default_factory=list)


def train(
    settings: Settings,
    database: Database,
    recipe: TrainingRecipe,
    *,
    seconds: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
    told: Told = lambda _step, _value: None,
) -> tuple[TrainingRow, Stored]:
    """Train until the recipe's end, until so many seconds have passed, or until ``stopped``; go on where the folder's
    state was. Returns the record, and the agent. OrganonError where the folder holds another recipe's training."""
    from meta_learner.training.training import Training

    folder = settings.make_home() / "training" / recipe.name
    with placed(settings.device):
        training = Training(recipe.plan())
        progress = _begun(folder, recipe, training, settings.device)
        _keep(database, folder, training, progress)
        _run(database, folder, training, progress, until=seconds, stopped=stopped, told=told)
        done = training.step >= training.plan.steps
        progress.row.status = "finished" if done else "stopped"
        agent = _agent(settings, recipe, training, progress)
        progress.row.weights = agent.card.weights.sha256
        return _keep(database, folder, training, progress), agent


def _run(
    database: Database,
    folder: Path,
    training: "Training",
    progress: Progress,
    *,
    until: float | None,
    stopped: Callable[[], bool],
    told: Told,
) -> None:
    before, begun, kept = progress.seconds, time.monotonic(), time.monotonic()
    every, since = max(1, training.plan.steps // _POINTS), list[float]()
    for value in training.run():
        since.append(value)
        progress.seconds = before + time.monotonic() - begun
        if training.step % every == 0:
            progress.curve.append((training.step, round(sum(since) / len(since), 6)))
            since = []
        told(training.step, value)
        if stopped() or (until is not None and time.monotonic() - begun >= until):
            return
        if time.monotonic() - kept > _EVERY:
            _keep(database, folder, training, progress)
            kept = time.monotonic()


def _begun(folder: Path, recipe: TrainingRecipe, training: "Training", device: str) -> Progress:
    """A new training, or the state of the one that the folder holds."""
    plain = recipe.model_dump(mode="json", by_alias=True)
    about = provenance(device)
    row = TrainingRow(
        agent=recipe.name, recipe=plain, steps=training.plan.steps, hardware=about["machine"], commit=about["commit"]
    )
    path = folder / STATE
    if not path.exists():
        return Progress(row)
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        kept = json.loads(file.metadata()[_ABOUT])
        if kept["recipe"] != plain:
            raise OrganonError(
                f"{path} is the training of another recipe of the name {recipe.name!r}; give this one another name:, "
                "or move that file away"
            )
        training.restore({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118  (no dictionary)
    row.id, row.created_at = kept["id"], datetime.fromisoformat(kept["created"])
    return Progress(row, kept["seconds"], [(step, value) for step, value in kept["curve"]])


def _keep(database: Database, folder: Path, training: "Training", progress: Progress) -> TrainingRow:
    """On the disk, whole, then in the record."""
    from safetensors.torch import save_file

    row = progress.row
    row.step, row.seconds, row.curve = training.step, progress.seconds, [list(point) for point in progress.curve]
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
    state = {name: value.detach().cpu().contiguous() for name, value in training.state().items()}
    save_file(state, draft, metadata={_ABOUT: json.dumps(about)})
    draft.replace(folder / STATE)
    with database.write() as session:
        record.save_training(session, row.model_copy())
    return row


def _agent(settings: Settings, recipe: TrainingRecipe, training: "Training", progress: Progress) -> Stored:
    """What has been learned so far, among one's own agents: in the place of what this training gave before."""
    from meta_learner.agents.loading import packed

    row, store = progress.row, agent_store(settings)
    card, weights = packed(
        training.network,
        name=recipe.name,
        family="experimenter",
        options=recipe.network.model_dump(),
        goals=get_args(GoalKind),
        recipe=row.recipe,
        training={
            "tasks": recipe.in_words(),
            "steps": training.step,
            "episodes": training.episodes,
            "experiments": training.experiments,
            "seconds": round(progress.seconds, 1),
            "hardware": f"{row.hardware['processor']}, {row.hardware['device']}",
            "commit": row.commit,
            "date": now_utc().strftime("%Y-%m-%d"),
            "curve_of": "regret, a share of what the best design gains (imitate); gain, a share (improve)",
            "curve": progress.curve,
        },
        limits=f"{recipe.summary} {_LIMITS}".strip(),
    )
    ours = recipe.name in store.names() and store.find(recipe.name).card.recipe == row.recipe
    return store.save(card, weights, replace=ours)
