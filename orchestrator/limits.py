"""What one task may take of the machine: memory, and time without a recorded step. The kernel holds both limits."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

try:
    import resource
except ImportError:  # Windows has none, and no worker pool of ours either
    resource = None  # type: ignore[assignment]

_MB = 1 << 20
_OF_THE_MACHINE = 0.8  # shared by the workers where no limit is set: the rest is for database, broker and pages


def memory_limit_mb(setting: int, processes: int) -> int:
    """How much one worker process may have: the setting, or its share of four fifths of the machine's memory."""
    return setting or max(1024, int(_OF_THE_MACHINE * psutil.virtual_memory().total / processes / _MB))


def limit_memory(megabytes: int) -> None:
    """Let an allocation fail that would take this process's data above the limit (``RLIMIT_DATA``).

    Data, not address space: mapped libraries and files are not counted, of which torch has gigabytes.
    """
    if resource is None:
        return
    _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = megabytes * _MB
    if hardest != resource.RLIM_INFINITY:
        wanted = min(wanted, hardest)
    with suppress(ValueError, OSError):  # a system that knows no such limit
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hardest))


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether Python or torch was refused memory."""
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error)


class StepAlarm:
    """Ends this process unless ``progress`` is called often enough.

    The signal keeps its default action, so that the kernel itself ends a process that hangs inside a library. Main
    thread only.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @contextmanager
    def set(self) -> Iterator[None]:
        """From here on progress is expected, until the context ends."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        self.progress()
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def progress(self) -> None:
        """A step was recorded: count from the beginning."""
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
