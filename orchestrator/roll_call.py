"""Which workers answer, asked aside so that whoever wants to know need not wait. Torch-free."""

import time
from dataclasses import dataclass
from threading import Lock, Thread

from orchestrator.broker import is_running
from orchestrator.errors import BrokerError
from orchestrator.presence import pools
from orchestrator.settings import Settings


@dataclass(frozen=True)
class Present:
    """What was found: the pools that answered, and why the broker did not, if so. idle: our own broker does not run."""

    pools: tuple[str, ...]
    idle: bool = False
    reason: str = ""

    @property
    def at_work(self) -> bool:
        """Whether work that waits is going to be done."""
        return bool(self.pools)


class RollCall:
    """Asks again when what it knows is old. One thread asks at a time, whoever looks."""

    def __init__(self, settings: Settings, *, fresh_seconds: float = 5.0) -> None:
        self._settings, self._fresh = settings, fresh_seconds
        self._lock = Lock()
        self._asking: Thread | None = None
        self._known: Present | None = None
        self._at = 0.0

    def look(self) -> Present | None:
        """What was found last; None where nothing has been found yet. Never waits."""
        with self._lock:
            old = time.monotonic() - self._at > self._fresh
            if old and (self._asking is None or not self._asking.is_alive()):
                self._asking = Thread(target=self._ask, name="roll-call", daemon=True)
                self._asking.start()
            return self._known

    def wait(self, seconds: float) -> Present | None:
        """What is found within so many seconds."""
        self.look()
        with self._lock:
            asking = self._asking
        if asking is not None:
            asking.join(seconds)
        return self._known

    def _ask(self) -> None:
        found = _found(self._settings)
        with self._lock:
            self._known, self._at = found, time.monotonic()


def _found(settings: Settings) -> Present:
    try:
        answered = tuple(pools(settings))
    except BrokerError as error:
        return Present((), reason=str(error))
    return Present(answered, idle=settings.embedded_broker and not answered and not is_running(settings))
