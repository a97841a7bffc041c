"""The pool process: celery's prefork workers for the two tasks. Started and watched by ``orchestrator.worker``.

This process itself opens no database and computes nothing: both are the children's, which are forked from it. It
only imports the science, with one thread, so that a child that takes the place of a dead one need not.
"""

import ctypes
import faulthandler
import fcntl
import hashlib
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import lru_cache
from pathlib import Path

from celery import Celery
from celery.signals import setup_logging

from experiments_db.database import Database, connect
from orchestrator.app import ADVANCE, WORK, celery_app, send, send_jobs
from orchestrator.broker import broker
from orchestrator.deaths import WatchedRequest
from orchestrator.errors import BrokerError
from orchestrator.limits import StepAlarm, limit_memory, memory_limit_mb
from orchestrator.logs import about, start_logging
from orchestrator.settings import Settings, load_settings

_NEAR = 0.75  # of the memory that a child may have


def run_pool(settings: Settings, processes: int, deaths: int | None = None) -> int:
    """Work until told to stop (SIGTERM), or until the process that started us is gone; returns the exit status.

    deaths: the pipe to which is written what children died of.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a second process is worth more than a second thread
    _keep_memory()
    start_logging(settings)
    logging.captureWarnings(True)
    setup_logging.connect(_leave_logging_alone)
    importlib.import_module("orchestrator.advance")  # once, for all children to share
    signal.signal(signal.SIGTERM, _leave)  # until celery has its own: whoever uses the broker must say goodbye to it
    app = celery_app(settings)
    WatchedRequest.deaths = deaths
    memory_mb = memory_limit_mb(settings.memory_limit_mb, processes)
    # A child that came near its limit may not have given all back: it makes way for a fresh one after the task.
    app.conf.worker_max_memory_per_child = int(_NEAR * memory_mb * 1024)
    register(app, settings, memory_mb)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    settings.folder.mkdir(parents=True, exist_ok=True)
    # We use our broker too: if the process that started us was killed, we are the one to stop it.
    using = broker(settings) if settings.embedded_broker else nullcontext()
    with using, _presence(settings).open("a") as present:
        fcntl.flock(present, fcntl.LOCK_SH)  # says that a pool is here; given back however we end
        try:
            app.worker_main(_arguments(settings, processes))
        except SystemExit as leaving:
            return int(leaving.code or 0)
    return 0


def _arguments(settings: Settings, processes: int) -> list[str]:
    """What celery is started with."""
    return [
        "--quiet",  # its banner is no line of a log
        "worker",
        f"--concurrency={processes}",
        "--pool=prefork",
        "--without-gossip",
        "--without-mingle",
        "--loglevel=WARNING",
        f"--hostname=organon-{os.getpid()}@%h",
        f"--queues={settings.queue},{settings.job_queue}",
    ]


def _leave_logging_alone(**_: object) -> None:
    """Celery sets up no handlers of its own where somebody answers this signal."""


def _leave(signum: int, frame: object) -> None:
    del frame
    sys.exit(128 + signum)


def _presence(settings: Settings) -> Path:
    """The file whose lock says that a pool of this home, database and broker is at work."""
    broker = hashlib.sha256(settings.broker_url.encode()).hexdigest()[:8]
    return settings.folder / f"workers-{settings.queue}-{broker}.lock"


def pool_is_present(settings: Settings) -> bool:
    """Whether a pool of this home runs on this machine."""
    path = _presence(settings)
    if not path.exists():
        return False
    with path.open("a") as present:
        try:
            fcntl.flock(present, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def register(app: Celery, settings: Settings, memory_mb: int) -> None:
    """The two tasks: advance the block, or do the job, whose turn it is, then ask for more until nothing waits.

    The message names a block or a job that is to go on; which one does, the record says at that moment, so that
    priorities and shares hold whatever the queue's order.
    """

    @app.task(name=ADVANCE, Request=WatchedRequest)
    def advance_block(block_id: int) -> str:
        with about():
            outcome, advanced = _advance(settings, memory_mb)()
        if outcome == "again":
            with suppress(BrokerError):  # the watchdog finds the block and sends it when the broker is back
                send(settings, [block_id if advanced is None else advanced])
        return outcome

    @app.task(name=WORK, Request=WatchedRequest)
    def work_on_job(job_id: str) -> str:
        with about():
            outcome, worked = _work(settings, memory_mb)()
        if outcome == "again":
            with suppress(BrokerError):
                send_jobs(settings, [job_id if worked is None else worked])
        return outcome


@lru_cache(maxsize=1)
def _advance(settings: Settings, memory_mb: int) -> Callable[[], tuple[str, int | None]]:
    """What advances the next block."""
    from orchestrator.advance import advance_next

    database, alarm = _bounds(settings, memory_mb)

    def advance() -> tuple[str, int | None]:
        with alarm.set():
            return advance_next(database, settings, alarm.progress)

    return advance


@lru_cache(maxsize=1)
def _work(settings: Settings, memory_mb: int) -> Callable[[], tuple[str, str | None]]:
    """What does the next job."""
    from orchestrator.job_work import work_next

    database, alarm = _bounds(settings, memory_mb)

    def work() -> tuple[str, str | None]:
        with alarm.set():
            return work_next(database, settings, alarm.progress)

    return work


@lru_cache(maxsize=1)
def _bounds(settings: Settings, memory_mb: int) -> tuple[Database, StepAlarm]:
    """This process's database and its limits, set before it computes anything."""
    import torch

    torch.set_num_threads(1)
    faulthandler.enable(2)  # a crash in a library leaves its place in the log; celery has replaced sys.stderr
    if settings.device == "cpu":  # drivers of accelerators map far more than they use
        limit_memory(memory_mb)
    return connect(settings.database), StepAlarm(settings.step_limit_seconds)


def _keep_memory() -> None:
    """Tell glibc not to give freed tensors' pages back at once: getting them again took half of the run time."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        mmap_threshold, trim_threshold = -3, -1
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, (1 << 31) - 1)


def _follow(parent: int) -> None:
    """Stop when the process that started us is gone, however it ended."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(run_pool(load_settings(), *map(int, sys.argv[1:3])))
