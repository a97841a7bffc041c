"""Meta-training as a piece of work: it can be interrupted at any moment, goes on where it was, and is on record.

One file holds the state, written whole every minute; the record holds recipe, curve, hardware and commit; an agent,
with its card, comes of it whenever it stops.
"""

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments_db import trainings
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
    from meta_learner.training.session import Session
    from meta_learner.training.training import Training

STATE, _ABOUT = "training.safetensors", "training"  # the file; the entry of its metadata
_EVERY = 60.0  # seconds between two checkpoints
Told = Callable[[int, float], None]  # steps done, and what the last one gave


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
    state was. Returns the record, and the agent. OrganonError, before anything is done, where the folder holds another
    recipe's training, or another agent has the recipe's name."""
    _check_name(settings, recipe)
    folder = settings.make_home() / "training" / recipe.name
    with placed(settings.device):
        session, row = _begun(folder, recipe, settings.device)
        _keep(database, folder, session, row)
        _run(session, seconds, stopped, told, keep=lambda: _keep(database, folder, session, row))
        row.status = "finished" if session.training.step >= row.steps else "stopped"
        agent = _agent(settings, recipe, session, row)
        row.weights = agent.card.weights.sha256
        return _keep(database, folder, session, row), agent


def _run(
    session: "Session", until: float | None, stopped: Callable[[], bool], told: Told, *, keep: Callable[[], object]
) -> None:
    begun = kept = time.monotonic()
    for value in session.run():
        told(session.training.step, value)
        now = time.monotonic()
        if stopped() or (until is not None and now - begun >= until):
            return
        if now - kept > _EVERY:
            keep()
            kept = now


def _check_name(settings: Settings, recipe: TrainingRecipe) -> None:
    store = agent_store(settings)
    if recipe.name in store.names() and not recipe.is_that_of(store.find(recipe.name).card.recipe):
        raise OrganonError(
            f"there is an agent {recipe.name!r} already, of another recipe, in {store.find(recipe.name).folder}; give "
            "this recipe another name:"
        )


def _plain(recipe: TrainingRecipe) -> dict[str, Any]:
    """As the record and cards keep it."""
    return recipe.model_dump(mode="json", by_alias=True)


def _begun(folder: Path, recipe: TrainingRecipe, device: str) -> "tuple[Session, TrainingRow]":
    """A new training and its row of the record, or those that the folder holds."""
    from meta_learner.training.session import Session
    from meta_learner.training.training import Training

    training = Training(recipe.plan())
    plain = _plain(recipe)
    about = provenance(device)
    row = TrainingRow(
        agent=recipe.name, recipe=plain, steps=training.plan.steps, hardware=about["machine"], commit=about["commit"]
    )
    path = folder / STATE
    if not path.exists():
        return Session(training), row
    kept = _restore(training, path, recipe)
    row.id, row.created_at = kept["id"], datetime.fromisoformat(kept["created"])
    return Session(training, kept["seconds"], [(step, value) for step, value in kept["curve"]]), row


def _restore(training: "Training", path: Path, recipe: TrainingRecipe) -> dict[str, Any]:
    """Put a training where a file left it; what else the file tells."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            kept: dict[str, Any] = json.loads(file.metadata()[_ABOUT])
            if not recipe.is_that_of(kept["recipe"]):
                raise OrganonError(
                    f"{path} is the training of another recipe of the name {recipe.name!r}; give this one another "
                    "name:, or move that file away"
                )
            training.restore({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118  (no dictionary)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise OrganonError(
            f"{path} does not go on in this version of Organon ({error}); move that file away to begin anew"
        ) from None
    return kept


def _keep(database: Database, folder: Path, session: "Session", row: TrainingRow) -> TrainingRow:
    """On the disk, whole, then in the record."""
    from safetensors.torch import save_file

    training = session.training
    row.step, row.seconds, row.curve = training.step, session.seconds, [list(point) for point in session.curve]
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
    with database.write() as transaction:
        trainings.save_training(transaction, row.model_copy())
    return row


def _agent(settings: Settings, recipe: TrainingRecipe, session: "Session", row: TrainingRow) -> Stored:
    """What has been learned so far, among one's own agents: in the place of what this training gave before."""
    from meta_learner.training.agent import as_agent

    about = {"machine": row.hardware, "commit": row.commit}
    card, weights = as_agent(recipe, session.training, session.seconds, session.curve, about)
    return agent_store(settings).save(card, weights, replace=True)
