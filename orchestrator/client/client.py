"""Ask and tell over HTTP."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Any, Self

from orchestrator.client.connection import ClientError, Connection

_FIRST_LOOK, _LAST_LOOK = 0.05, 1.0  # seconds between looks for something to run, growing from one to the other


@dataclass(frozen=True)
class Suggestion:
    """An experiment to run: what to set, in which run of which campaign, and until when."""

    id: int
    campaign: str
    run: int
    number: int
    status: str
    design: dict[str, float | str]
    due_at: str | None
    overdue: bool
    taken_by: str | None


class Client:
    """The HTTP interface of an Organon. ``by``: who speaks, beside the token's name. ClientError where it refuses."""

    def __init__(self, url: str, token: str, *, by: str | None = None, timeout: float = 60.0) -> None:
        self._connection, self._by = Connection(url, token, timeout), by

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._connection.close()

    def create(self, **campaign: Any) -> str:
        """A campaign's id. Its fields are those of ``NewCampaign`` in the OpenAPI description: domain, laboratory, …"""
        return str(self._connection.ask("POST", "/campaigns", campaign, again=False)["id"])

    def campaigns(self) -> list[dict[str, Any]]:
        """The newest campaigns."""
        return list(self._connection.ask("GET", "/campaigns"))

    def campaign(self, campaign: str) -> dict[str, Any]:
        """Status, progress, what waits (``waiting``), and the ``finding`` once there is one."""
        return dict(self._connection.ask("GET", f"/campaigns/{campaign}"))

    def pending(self, campaign: str) -> list[Suggestion]:
        """What waits, taken or not: for approval, to be run, or to be taken up by a worker."""
        return [_suggestion(line) for line in self._connection.ask("GET", f"/campaigns/{campaign}/suggestions")]

    def history(self, campaign: str) -> list[dict[str, Any]]:
        """The suggestions of a campaign with all that became of them, as plain data; the newest thousand."""
        return list(self._connection.ask("GET", f"/campaigns/{campaign}/suggestions?every=true"))

    def mine(self, campaign: str) -> list[Suggestion]:
        """What we took and have not answered: to go on with after an interruption. Needs ``by``."""
        mine = f"{self._by} ("
        return [s for s in self.pending(campaign) if s.status == "open" and (s.taken_by or "").startswith(mine)]

    def ask(self, campaign: str, *, wait: float = 0.0) -> Suggestion | None:
        """The next experiment to run, ours alone; None where there is none within ``wait`` seconds, or no more."""
        deadline, pause = time.monotonic() + wait, _FIRST_LOOK
        while True:
            try:
                line = self._connection.ask("POST", f"/campaigns/{campaign}/ask", self._body(), again=False)
            except ClientError as error:
                if error.status == 409:  # it has ended
                    return None
                raise
            if line is not None:
                return _suggestion(line)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LAST_LOOK)

    def tell(
        self, suggestion: int, outcome: Mapping[str, float | None], design: Mapping[str, float | str] | None = None
    ) -> None:
        """What came back; design: what was set, if not what was suggested."""
        self._say(suggestion, "tell", outcome=dict(outcome), design=design and dict(design))

    def fail(self, suggestion: int, reason: str) -> None:
        """That nothing came back, and why; it counts as made."""
        self._say(suggestion, "fail", reason=reason)

    def release(self, suggestion: int) -> None:
        """Hand back what we took, for somebody else to run."""
        self._say(suggestion, "release")

    def approve(self, suggestion: int, design: Mapping[str, float | str] | None = None) -> None:
        """Let a proposed experiment be run, at another design if one is given."""
        self._say(suggestion, "approve", design=design and dict(design))

    def reject(self, suggestion: int, reason: str) -> None:
        """Refuse an experiment: it is not run, costs nothing, and another is suggested."""
        self._say(suggestion, "reject", reason=reason)

    def correct(
        self,
        suggestion: int,
        outcome: Mapping[str, float | None],
        *,
        reason: str,
        design: Mapping[str, float | str] | None = None,
    ) -> None:
        """Put a result right that was told before."""
        self._say(suggestion, "correct", outcome=dict(outcome), reason=reason, design=design and dict(design))

    def withdraw(self, suggestion: int, *, reason: str) -> None:
        """Let a result count for nothing."""
        self._say(suggestion, "withdraw", reason=reason)

    def _say(self, suggestion: int, what: str, **body: Any) -> None:
        again = what in ("tell", "fail", "release")  # which count once, however often they are said
        self._connection.ask("POST", f"/suggestions/{suggestion}/{what}", self._body(**body), again=again)

    def _body(self, **body: Any) -> dict[str, Any]:
        return {**{name: value for name, value in body.items() if value is not None}, "by": self._by}


def _suggestion(line: Mapping[str, Any]) -> Suggestion:
    return Suggestion(**{field.name: line[field.name] for field in fields(Suggestion)})
