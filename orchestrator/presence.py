"""Which pools of workers there are, on whatever machine: asked over the broker, which all of them listen to."""

import socket

from orchestrator.app import celery_app
from orchestrator.broker import check_reachable, is_running, speaking
from orchestrator.settings import Settings

_ANSWER_SECONDS = 1.0


def pools(settings: Settings, seconds: float = _ANSWER_SECONDS) -> list[str]:
    """The pools of this database that answer within so many seconds, as ``organon-PID@HOST``.

    BrokerError if the broker does not answer. A pool whose processes are all at work answers nonetheless.
    """
    if settings.embedded_broker and not is_running(settings):
        return []
    check_reachable(settings)
    with speaking(settings):
        answers = celery_app(settings).control.inspect(timeout=seconds).active_queues() or {}
    # Others may share the broker: their queues have other names.
    return sorted(name for name, queues in answers.items() if any(q["name"] == settings.queue for q in queues))


def is_here(pool: str) -> bool:
    """Whether a pool runs on this machine, or in this container."""
    return pool.rpartition("@")[2] == socket.gethostname()
