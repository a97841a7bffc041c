"""What a verification found, as values and in words. Torch-free."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments_db.differences import Difference

SHOWN = 50  # differences kept of one block, and shown of one campaign

COMPARED_EXACTLY = (
    "worlds, designs with their candidates and scores, outcomes, costs, information, beliefs and findings, to the last "
    "bit"
)
COMPARED_ELSEWHERE = (
    "worlds and outcomes to 1 part in a million; of each belief the probabilities of laws and the means of the leading "
    "law's parameters, within Monte Carlo error"
)
NOT_COMPARED_ELSEWHERE = (
    "designs (of two that score alike another may win), scores, information, what goals ask for, and runs' findings"
)


@dataclass
class BlockReplay:
    """One block replayed. same_kind: whether on the kind of machine that recorded it; decisions: how many there were,
    and how many came out as recorded; told: experiments whose outcomes people or programs told, which nothing can
    replay; revisions: how many were folded anew; more: differences beyond those that are kept."""

    block: int
    same_kind: bool
    experiments: int = 0
    decisions: int = 0
    decisions_alike: int = 0
    told: int = 0
    revisions: int = 0
    differences: list[Difference] = field(default_factory=list)
    more: int = 0

    def add(self, difference: Difference) -> None:
        """Keep a difference, or count it where there are enough."""
        if len(self.differences) < SHOWN:
            self.differences.append(difference)
        else:
            self.more += 1


@dataclass
class Report:
    """A campaign verified. origin: the digest that it was imported with; not_replayed: why it was not, or empty;
    recorded_on, here: kinds of machines."""

    campaign: str
    status: str
    digest: str
    origin: str | None = None
    events: int = 0
    experiments: int = 0
    differences: list[Difference] = field(default_factory=list)
    blocks: list[BlockReplay] = field(default_factory=list)
    not_replayed: str = ""
    unlogged: int = 0
    recorded_on: list[Mapping[str, Any]] = field(default_factory=list)
    here: Mapping[str, Any] = field(default_factory=dict)

    @property
    def found(self) -> list[Difference]:
        """Every difference."""
        return [*self.differences, *(each for block in self.blocks for each in block.differences)]

    @property
    def more(self) -> int:
        """How many differences were not kept."""
        return sum(block.more for block in self.blocks)

    @property
    def ok(self) -> bool:
        """Whether everything was checked and nothing differs."""
        return not self.found and not self.not_replayed

    @property
    def told(self) -> int:
        """How many outcomes were told by people or programs: no replay can give them."""
        return sum(block.told for block in self.blocks)

    @property
    def same_kind(self) -> bool:
        """Whether all was replayed on the kind of machine that recorded it."""
        return all(block.same_kind for block in self.blocks)

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "campaign": self.campaign,
            "status": self.status,
            "ok": self.ok,
            "digest": self.digest,
            "imported_with_digest": self.origin,
            "events": self.events,
            "experiments": self.experiments,
            "replayed": sum(block.experiments for block in self.blocks),
            "not_replayed": self.not_replayed or None,
            "older_than_the_log": self.unlogged,
            "same_kind_of_machine": self.same_kind,
            "compared": self._compared(),
            "outcomes_as_told": self.told,
            "revisions_replayed": sum(block.revisions for block in self.blocks),
            "decisions": sum(block.decisions for block in self.blocks),
            "decisions_alike": sum(block.decisions_alike for block in self.blocks),
            "recorded_on": [dict(each) for each in self.recorded_on],
            "here": dict(self.here),
            "differences": [each.as_dict() for each in self.found],
            "more_differences": self.more,
        }

    def in_words(self) -> list[str]:
        """Line by line."""
        lines = [
            f"campaign {self.campaign} ({self.status}): {self.events} events, {self.experiments} experiments",
            f"digest {self.digest}",
        ]
        if self.origin:
            lines.append(f"imported, and before that its digest was {self.origin}")
        if self.unlogged:
            lines.append(f"{self.unlogged} experiments are older than the log: they were replayed only")
        if self.not_replayed:
            lines.append(f"not replayed: {self.not_replayed}")
        elif self.experiments:
            lines += self._replay_in_words()
        if self.told:
            lines.append(
                f"not replayed: the outcomes of {self.told} experiments, which people or programs told; they were "
                "taken as the log has them, and all else was computed from them"
            )
        found = self.found
        lines += [each.in_words() for each in found[:SHOWN]]
        hidden = len(found) - len(found[:SHOWN]) + self.more
        if hidden:
            lines.append(f"and {hidden} more differences")
        return [*lines, "verified: nothing differs" if self.ok else self._verdict(len(found) + self.more)]

    def _verdict(self, count: int) -> str:
        return f"NOT verified: {count} differences" if count else "NOT verified: it could not be replayed"

    def _compared(self) -> dict[str, str | None]:
        if self.same_kind:
            return {"replay": COMPARED_EXACTLY, "not_compared": None}
        return {"replay": COMPARED_ELSEWHERE, "not_compared": NOT_COMPARED_ELSEWHERE}

    def _replay_in_words(self) -> list[str]:
        replayed = sum(block.experiments for block in self.blocks)
        if self.same_kind:
            return [f"replayed on the same kind of machine: {replayed} experiments; compared {COMPARED_EXACTLY}"]
        alike, decisions = (sum(getattr(b, name) for b in self.blocks) for name in ("decisions_alike", "decisions"))
        recorded = "; ".join(sorted({_kind(each) for each in self.recorded_on})) or "not recorded"
        return [
            f"replayed on another kind of machine (recorded: {recorded}; here: {_kind(self.here)}), where agreement "
            f"within Monte Carlo error is promised and no more: {replayed} experiments",
            f"compared {COMPARED_ELSEWHERE}",
            f"not compared: {NOT_COMPARED_ELSEWHERE}; {alike} of {decisions} designs came out as recorded",
        ]


def _kind(made: Mapping[str, Any]) -> str:
    names = ("organon", "torch", "machine", "capability", "device", "threads")
    return ", ".join(f"{name} {made[name]}" for name in names if name in made)
