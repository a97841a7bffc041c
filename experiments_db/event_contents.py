"""What an event of each kind says: plain data, digests in place of what is long. No clock, no process."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from experiments_db.canonical import digest
from experiments_db.models import Campaign, Measurements

# Of an experiment: said in full (the belief is a fold over them), by digest, and compared as numbers.
WHOLE = ("design", "outcome", "cost", "information", "given")
DIGESTED = ("belief", "candidates")
OF_CAMPAIGN = (
    "domain_identity",
    "policy",
    "laboratory",
    "runs",
    "budget",
    "seed",
    "settings",
    "versions",
    "priority",
    "max_experiments",
    "max_cost",
)


class RecordedRow(Protocol):
    """An experiment about to be recorded, or as recorded; ``row`` is its run's offset within the block."""

    @property
    def row(self) -> int: ...
    @property
    def design(self) -> dict[str, Any]: ...
    @property
    def outcome(self) -> dict[str, Any]: ...
    @property
    def cost(self) -> float: ...
    @property
    def information(self) -> float | None: ...
    @property
    def given(self) -> bool: ...
    @property
    def belief(self) -> dict[str, Any]: ...
    @property
    def candidates(self) -> list[Any]: ...


def created(campaign: Campaign, block_sizes: Sequence[int]) -> dict[str, Any]:
    """A campaign as it was asked for."""
    return {**{name: getattr(campaign, name) for name in OF_CAMPAIGN}, "blocks": list(block_sizes)}


def given(measurements: Measurements) -> dict[str, Any]:
    """The experiments made before."""
    return {"file": measurements.file, "sha256": measurements.sha256, "rows": digest(measurements.rows)}


def truths(worlds: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
    """The worlds of a block's runs, in run order."""
    return {"truths": [digest(world) for world in worlds]}


def step(number: int, experiments: Sequence[RecordedRow], made: Mapping[str, Any]) -> dict[str, Any]:
    """A step of a block."""
    return {"step": number, "made": dict(made), "experiments": [experiment(entry) for entry in experiments]}


def experiment(entry: RecordedRow) -> dict[str, Any]:
    """One experiment of a step."""
    said = {name: getattr(entry, name) for name in ("row", *WHOLE)}
    return {**said, **{name: digest(getattr(entry, name)) for name in DIGESTED}}


def block_ended(runs: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """The end of a block: index, steps and cost of each run."""
    return {"runs": [{"run": index, "steps": steps, "cost": cost} for index, steps, cost in runs]}


def finding(run: int | None, content: Mapping[str, Any], text: str) -> dict[str, Any]:
    """What a run (its index), or the campaign (None), concludes; and, of a run, why it ended."""
    ended = {} if run is None else {"ended": content.get("ended")}
    return {"run": run, **ended, "content": digest(content), "text": digest(text)}
