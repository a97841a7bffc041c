"""The celery application: JSON only, late acknowledgement, one message at a time."""

from functools import lru_cache

from celery import Celery

from orchestrator.broker import broker_url, speaking, transport_options
from orchestrator.settings import Settings

# The tasks' names; commands send them by name and never import the science.
ADVANCE = "organon.advance_block"
WORK = "organon.work_on_job"


@lru_cache(maxsize=4)
def celery_app(settings: Settings) -> Celery:
    """The application for these settings."""
    app = Celery("organon", broker=broker_url(settings), set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_default_queue=settings.queue,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a broker that is away is waited for, however long
        control_queue_expires=10.0,  # seconds: how pools answer when asked whether they are there
        broker_transport_options=transport_options(settings),
        broker_connection_timeout=5,
        worker_proc_alive_timeout=60.0,
    )
    return app


def send(settings: Settings, block_ids: list[int]) -> None:
    """Ask the workers to advance these blocks; BrokerError if the broker does not take the messages."""
    app = celery_app(settings)
    with speaking(settings), app.producer_pool.acquire(block=True) as producer:
        for block_id in block_ids:
            app.send_task(ADVANCE, args=[block_id], producer=producer)


def send_jobs(settings: Settings, job_ids: list[str]) -> None:
    """Ask the workers to do these jobs, by a queue of its own; BrokerError if the broker does not take the messages."""
    app = celery_app(settings)
    with speaking(settings), app.producer_pool.acquire(block=True) as producer:
        for job_id in job_ids:
            app.send_task(WORK, args=[job_id], queue=settings.job_queue, producer=producer)
