"""What the log says of a campaign: its events folded, kind by kind.

Whoever adds a kind that changes what the tables must hold adds how it is folded:

>>> folds(CORRECTED)(lambda logged, said: …)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from experiments_db import event_kinds
from experiments_db.chains import EventRecord


@dataclass
class Logged:
    """A chain folded: of a campaign's own what it says of the campaign, of a block's what it says of its runs.

    steps: step → what was said of it, of the steps since ``first_step``; findings: run's index (None: the campaign's)
    → digests; suggestions: number → its columns; revisions: of the block, in order; revised_cost: at how many
    experiments a belief was last folded anew, and what the run had cost then; judged: what was said of the campaign's
    findings, in order; made_on: of what the numbers were made; strange: what no sound writer does, such as a step out
    of its turn.
    """

    created: dict[str, Any] | None = None
    given: dict[str, Any] | None = None
    imported: dict[str, Any] | None = None
    status: str = "scheduled"
    message: str = ""
    started: bool = False
    older: dict[str, Any] | None = None
    truths: list[str] | None = None
    steps: dict[int, dict[str, Any]] = field(default_factory=dict)
    first_step: int = 0
    ended: dict[str, Any] | None = None
    findings: dict[int | None, dict[str, Any]] = field(default_factory=dict)
    suggestions: dict[int, dict[str, Any]] = field(default_factory=dict)
    revisions: list[dict[str, Any]] = field(default_factory=list)
    revised_cost: tuple[int, float] | None = None
    judged: list[dict[str, Any]] = field(default_factory=list)
    made_on: list[dict[str, Any]] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)


Fold = Callable[[Logged, dict[str, Any]], None]
_FOLDS: dict[str, Fold] = {}


def folds(*kinds: str) -> Callable[[Fold], Fold]:
    """Register how events of these kinds are folded."""

    def register(fold: Fold) -> Fold:
        _FOLDS.update(dict.fromkeys(kinds, fold))
        return fold

    return register


def folded(events: Iterable[EventRecord], *, first_step: int = 0) -> Logged:
    """A chain's events folded; first_step: how many steps are older than the log."""
    logged = Logged(first_step=first_step)
    for event in events:
        fold = _FOLDS.get(event.kind)
        if not event.content.startswith("{"):
            logged.strange.append(f"event {event.index} ({event.kind}) says nothing")
        elif event.kind not in event_kinds.known_kinds():
            logged.strange.append(f"event {event.index} is of a kind that this Organon does not know: '{event.kind}'")
        elif fold is not None:
            try:
                fold(logged, event.said)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                logged.strange.append(f"event {event.index} ({event.kind}) is not as that kind is: {error}")
    return logged


@folds(event_kinds.CREATED)
def _created(logged: Logged, said: dict[str, Any]) -> None:
    if logged.created is not None or logged.older is not None:
        logged.strange.append("the campaign is created twice")
    all_are(int, said["blocks"])
    logged.created = said


@folds(event_kinds.LOG_BEGUN)
def _older(logged: Logged, said: dict[str, Any]) -> None:
    for steps, status in said["blocks"]:
        all_are(int, [steps])
        all_are(str, [status])
    logged.older, logged.status, logged.message = said, said["status"], said["message"]
    logged.started = said["started"]


@folds(event_kinds.GIVEN)
def _given(logged: Logged, said: dict[str, Any]) -> None:
    logged.given = said


@folds(event_kinds.STARTED)
def _started(logged: Logged, said: dict[str, Any]) -> None:
    del said
    logged.status, logged.started = "running", True


@folds(event_kinds.PAUSED)
def _paused(logged: Logged, said: dict[str, Any]) -> None:
    del said
    logged.status = "paused"


@folds(event_kinds.CAPPED)
def _capped(logged: Logged, said: dict[str, Any]) -> None:
    logged.status, logged.message = "paused", said["message"]


@folds(event_kinds.EXTENDED)
def _extended(logged: Logged, said: dict[str, Any]) -> None:
    """What was asked for at first, with what was added; where it goes on, what it had concluded is void."""
    all_are(int, said["blocks"])
    if logged.created is not None:
        whole = {"blocks": [*logged.created["blocks"], *said["blocks"]]}
        runs = logged.created["runs"] + sum(said["blocks"])
        logged.created = {**logged.created, **whole, **said["caps"], "runs": runs}
    if said["goes_on"]:
        _resumed(logged, said)
        logged.findings.pop(None, None)


@folds(event_kinds.RETRIED, event_kinds.RESUMED)
def _resumed(logged: Logged, said: dict[str, Any]) -> None:
    del said
    logged.status, logged.message = "running" if logged.started else "scheduled", ""


@folds(event_kinds.CANCELLED)
def _cancelled(logged: Logged, said: dict[str, Any]) -> None:
    del said
    logged.status = "cancelled"


@folds(event_kinds.FAILED)
def _failed(logged: Logged, said: dict[str, Any]) -> None:
    logged.status, logged.message = "failed", said["message"]


@folds(event_kinds.FINISHED)
def _finished(logged: Logged, said: dict[str, Any]) -> None:
    del said
    logged.status = "finished"


def all_are(kind: type, values: list[Any]) -> None:
    """ValueError unless the values are a list of this kind: an event of a stranger's may say anything."""
    wrong = [value for value in values if type(value) is not kind]
    if wrong or not isinstance(values, list):
        raise ValueError(f"{str(wrong)[:50]} where {kind.__name__} was due")


@folds(event_kinds.IMPORTED)
def _imported(logged: Logged, said: dict[str, Any]) -> None:
    logged.imported = said
    logged.status, logged.message = said["status"], said["message"]


@folds(event_kinds.TRUTHS)
def _truths(logged: Logged, said: dict[str, Any]) -> None:
    if logged.truths is not None:
        logged.strange.append("the truths are recorded twice")
    all_are(str, said["truths"])
    logged.truths = said["truths"]


@folds(event_kinds.STEP)
def _step(logged: Logged, said: dict[str, Any]) -> None:
    all_are(int, [said["step"], *(entry["row"] for entry in said["experiments"])])
    all_are(str, list(said["made"].keys()))
    turn = logged.first_step + len(logged.steps)
    if said["step"] != turn:
        logged.strange.append(f"step {said['step']} is recorded where step {turn} was due")
    if logged.ended is not None:
        logged.strange.append(f"step {said['step']} is recorded after the end of the block")
    logged.steps[said["step"]] = said
    logged.made_on.append(said["made"])


@folds(event_kinds.BLOCK_ENDED)
def _ended(logged: Logged, said: dict[str, Any]) -> None:
    all_are(int, [number for entry in said["runs"] for number in (entry["run"], entry["steps"])])
    all_are(float, [entry["cost"] for entry in said["runs"]])
    logged.ended = said


@folds(event_kinds.FINDING)
def _finding(logged: Logged, said: dict[str, Any]) -> None:
    all_are(int, [] if said["run"] is None else [said["run"]])
    if said["run"] in logged.findings:
        logged.strange.append(f"the finding of run {said['run']} is recorded twice")
    logged.findings[said["run"]] = said
