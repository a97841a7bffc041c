"""Workers that die: the pool says of what, the record counts, and a block that is poison ends its own campaign.

The pool's main process opens no database, so it writes a line to a pipe; the supervisor reads it and notes the fault.
"""

import json
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from billiard.exceptions import WorkerLostError
from celery.worker.request import Request
from sqlalchemy.orm import Session

from experiments_db import record, scheduling
from experiments_db.database import Database
from experiments_db.jobs import note_job_fault
from experiments_db.models import WorkerEvent
from experiments_db.worker_events import add_worker_event
from orchestrator.settings import Settings

_LONGEST_WAIT_SECONDS = 3600.0
_KNOWN_SECONDS = 10.0  # by then the supervisor, which looks every second, has noted of what a worker died
_UNKNOWN = "a cause that is not known"
Verdict = Literal["try", "wait", "failed"]
_REMEDY = {
    "SIGALRM": "it recorded nothing for longer than ORGANON_STEP_LIMIT_SECONDS allows",
    "SIGKILL": "somebody killed it, most often the system for want of memory: see ORGANON_MEMORY_LIMIT_MB",
    "SIGSEGV": "a library crashed",
}


def judge(session: Session, settings: Settings, claimed: scheduling.Claimed) -> Verdict:
    """Whether a block just claimed is tried once more, or workers died over it so often that its campaign has failed.

    Should this attempt die, the next waits: ``retry_seconds`` after the first, twice as long after each further one.
    wait: it is not on record yet what they died of; the block is given back to the last, once, until that is told.
    """
    block, now = claimed.block, datetime.now(UTC)
    died = block.attempts - 1
    if died < settings.attempts:
        wait = min(_LONGEST_WAIT_SECONDS, settings.retry_seconds * 2.0**died)
        scheduling.postpone(session, block.id or 0, now + timedelta(seconds=wait))
        return "try"
    if not block.fault:
        block.fault, block.attempts = _UNKNOWN, died
        block.lease_owner, block.lease_until = claimed.before, now
        session.flush()
        scheduling.postpone(session, block.id or 0, now + timedelta(seconds=_KNOWN_SECONDS))
        return "wait"
    reason = (
        f"its worker died {died} times in a row over block {block.index} at step {block.step}, last of {block.fault}; "
        f"other campaigns go on. Mend the domain, or try again by: organon campaign retry {block.campaign_id}"
    )
    record.fail_campaign(session, block.campaign_id, reason, now)
    return "failed"


class WatchedRequest(Request):
    """Celery's request, which says in the pool's main process that a child died over it."""

    deaths: int | None = None  # the pipe to the supervisor

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Called in the main process; what celery does about it is left as it is."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)  # billiard wraps it to send its traceback along
        if self.deaths is not None and isinstance(error, WorkerLostError) and self.worker_pid:
            line = json.dumps({"pid": self.worker_pid, "cause": str(error)}) + "\n"
            with suppress(OSError):  # the supervisor is gone, and we are to follow
                os.write(self.deaths, line.encode())
        return super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)


class Deaths:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self._rest = b""

    def note(self, database: Database) -> None:
        """Write to the record what workers of this machine died of since the last look."""
        for death in self._read():
            with database.write() as session:
                cause = _in_words(death["cause"])
                owner = f"{socket.gethostname()}/{death['pid']}/"
                scheduling.note_fault(session, owner, cause)
                note_job_fault(session, owner, cause)
                died = WorkerEvent(kind="died", host=socket.gethostname(), pid=death["pid"], message=cause)
                add_worker_event(session, died)

    def close(self) -> None:
        """Give both ends back."""
        os.close(self.reading)
        os.close(self.writing)

    def _read(self) -> list[dict[str, Any]]:
        try:
            self._rest += os.read(self.reading, 1 << 16)
        except BlockingIOError:
            return []
        *lines, self._rest = self._rest.split(b"\n")
        return [json.loads(line) for line in lines]


def _in_words(cause: str) -> str:
    """``signal 14 (SIGALRM): …`` from celery's ``Worker exited prematurely: signal 14 (SIGALRM) Job: 3.``"""
    brief = cause.removeprefix("Worker exited prematurely: ").partition(" Job:")[0]
    return brief + "".join(f" ({words})" for name, words in _REMEDY.items() if name in brief)
