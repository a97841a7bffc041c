"""Where the record disagrees with its log or with its replay: which run, step and field, and both values."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Check = Literal["chain", "tables", "replay"]
_LONGEST = 60


@dataclass(frozen=True)
class Difference:
    """One difference. recorded: what is there; wanted: what the log, or the replay, says.

    place: where it is when it is not a run or a step, such as a chain.
    """

    check: Check
    field: str
    recorded: Any
    wanted: Any
    run: int | None = None
    step: int | None = None
    place: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def in_words(self) -> str:
        """One line."""
        where = [] if self.run is None else [f"run {self.run}"]
        where += [] if self.step is None else [f"step {self.step}"]
        where += [self.place] if self.place else []
        source = {"chain": "the chain", "tables": "the log", "replay": "the replay"}[self.check]
        told = f"recorded {_short(self.recorded)}, by {source} {_short(self.wanted)}"
        return f"{', '.join([*where, self.field])}: {told}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
