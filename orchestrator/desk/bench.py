"""What people say through the pages about experiments that wait for them, and about results told before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.bench import Bench
from orchestrator.desk.base import Desk

Line = dict[str, Any]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class BenchDesk(Desk):
    """The bench, for whoever sits here; ``person``: who says so, where that is not the token's holder.

    Each method as the bench's; ForbiddenError for a viewer.
    """

    person: str = ""

    def take(self, suggestion_id: int) -> Line:
        """That this person runs it, and nobody else need."""
        return self._bench().take_this(suggestion_id)

    def release(self, suggestion_id: int) -> Line:
        """That somebody else may run it."""
        return self._bench().release(suggestion_id)

    def approve(self, suggestion_id: int, design: Values | None = None) -> Line:
        """Let it be run, at another design if one is given."""
        return self._bench().approve(suggestion_id, design)

    def reject(self, suggestion_id: int, reason: str) -> Line:
        """Refuse it: another is suggested."""
        return self._bench().reject(suggestion_id, reason)

    def tell(self, suggestion_id: int, outcome: Values, design: Values | None = None) -> Line:
        """What came back."""
        return self._bench().tell(suggestion_id, outcome, design)

    def fail(self, suggestion_id: int, reason: str) -> Line:
        """That nothing came back, and why."""
        return self._bench().fail(suggestion_id, reason)

    def correct(self, suggestion_id: int, outcome: Values, *, reason: str, design: Values | None = None) -> Line:
        """Another result in place of one told before."""
        return self._bench().correct(suggestion_id, outcome, reason=reason, design=design)

    def withdraw(self, suggestion_id: int, *, reason: str) -> Line:
        """That a result counts for nothing."""
        return self._bench().withdraw(suggestion_id, reason=reason)

    def _bench(self) -> Bench:
        holder = self.acting().by
        person = self.person.strip()
        return Bench(self.settings, self.database, f"{person} ({holder})" if person else holder)
