"""How often somebody may try to log in."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

_WINDOW_SECONDS = 60.0
_A_CLIENT = 10  # wrong tokens a minute from one address
_ALL = 300  # from all addresses: an address is easily changed
_MOST_CLIENTS = 10_000


@dataclass
class Attempts:
    """Wrong tokens of the last minute, by client. Kept in memory: a restart forgives."""

    clock: Callable[[], float] = time.monotonic
    _by_client: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _all: deque[float] = field(default_factory=deque)

    def wait_seconds(self, client: str) -> int:
        """How long this client is to wait before it may try again; 0 where it may now."""
        waits = (self._wait(self._by_client.get(client, deque()), _A_CLIENT), self._wait(self._all, _ALL))
        return max(waits)

    def failed(self, client: str) -> None:
        """Note a wrong token."""
        now = self.clock()
        times = self._by_client.setdefault(client, deque(maxlen=_A_CLIENT))
        times.append(now)
        self._by_client.move_to_end(client)
        if len(self._by_client) > _MOST_CLIENTS:
            self._by_client.popitem(last=False)
        self._all.append(now)

    def forgive(self, client: str) -> None:
        """Take back the last note of a client: its token was right."""
        if times := self._by_client.get(client):
            times.pop()
            self._all.pop()

    def _wait(self, times: deque[float], most: int) -> int:
        begin = self.clock() - _WINDOW_SECONDS
        while times and times[0] <= begin:
            times.popleft()
        return 0 if len(times) < most else max(1, round(times[-most] - begin))
