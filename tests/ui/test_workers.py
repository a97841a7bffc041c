"""The page of workers: what waits, who is at it, what was done, what failed, and one job."""

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from experiments_db import jobs as record
from experiments_db.models import WorkerEvent
from experiments_db.worker_events import add_worker_event
from orchestrator import jobs
from orchestrator.settings import load_settings
from tests.ui.conftest import Look
from ui.roll import roll_call

ME = f"{socket.gethostname()}/{os.getpid()}/1.00"


@pytest.fixture
def ask(write: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Asks for a job that nobody here does."""
    monkeypatch.setitem(jobs.KINDS, "check-domain", "nowhere:check")

    def asked(number: int = 0) -> str:
        return jobs.ask(load_settings(), write.database, "check-domain", {"number": number}, "Ada *Byron*").id

    return asked


def claim(write: Any) -> str:
    with write.database.write() as session:
        about = {"owner": ME, "now": datetime.now(UTC), "lease_seconds": 60.0, "owner_is_alive": lambda _: True}
        claimed = record.claim_job(session, **about)
        assert claimed is not None
        return str(claimed.job.id)


def fail(write: Any, message: str = "the law *rate* has no unit") -> str:
    job = claim(write)
    with write.database.write() as session:
        record.fail_job(session, job, ME, message, datetime.now(UTC))
    return job


def finish(write: Any, result: dict[str, Any]) -> str:
    job = claim(write)
    with write.database.write() as session:
        record.finish_job(session, job, ME, result, datetime.now(UTC))
    return job


def status(write: Any, job: str) -> str:
    with write.database.read() as session:
        return record.get_job(session, job).status


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def captions(page: AppTest) -> str:
    return "\n".join(caption.value for caption in page.caption)


def test_an_empty_installation_says_what_is_to_come(look: Look) -> None:
    page = look("workers")
    assert metrics(page) == {"Blocks waiting": "0", "Blocks under way": "0", "Jobs waiting": "0", "Jobs under way": "0"}
    for words in ("Nothing has failed", "No jobs yet", "No block has ended yet", "No workers have been here"):
        assert words in captions(page)


def test_whether_workers_answer_is_asked_aside(look: Look) -> None:
    roll_call().wait(20)
    page = look("workers")
    assert "No workers are at work" in page.warning[0].value
    assert "`organon start`" in page.warning[0].value


def test_what_waits_and_what_is_under_way(look: Look, write: Any, ask: Any) -> None:
    ask(1)
    ask(2)
    write.scheduled(1)
    write.running(number=2)
    job = claim(write)
    with write.database.write() as session:
        record.note_progress(session, job, ME, 0.25, "drawing *worlds*")
    shown = metrics(page := look("workers"))
    assert (shown["Jobs waiting"], shown["Jobs under way"]) == ("1", "1")
    assert "25 %, drawing \\*worlds\\*" in captions(page)
    assert f"process {os.getpid()} on" in captions(page)
    # The lease of the running campaign's block is of another day, so that block waits as well.
    assert (shown["Blocks waiting"], shown["Blocks under way"]) == ("2", "0")


def test_a_failed_campaign_is_tried_again(look: Look, write: Any) -> None:
    campaign = write.running()
    write.fail(campaign, "its worker died: *signal* 9")
    page = look("workers")
    assert any("its worker died: \\*signal\\* 9".replace(":", "\\:") in text.value for text in page.markdown)
    page.button(key=f"failed.campaign.{campaign}").click().run()
    assert not page.exception
    assert not page.error
    assert "Nothing has failed" in captions(page)


def test_a_failed_job_is_tried_again_by_whoever_may(
    look: Look, write: Any, ask: Any, token: Callable[[str], None]
) -> None:
    ask()
    job = fail(write)
    token("viewer")
    assert look("workers").button(key=f"failed.job.{job}").disabled
    token("operator")
    page = look("workers")
    assert any("the law \\*rate\\* has no unit" in text.value for text in page.markdown)
    page.button(key=f"failed.job.{job}").click().run()
    assert not page.exception
    assert status(write, job) == "waiting"


def test_jobs_by_kind_and_status(look: Look, write: Any, ask: Any) -> None:
    for number in range(30):
        ask(number)
    finish(write, {"good": True})
    page = look("workers")
    table = page.dataframe[0].value
    assert len(table) == 25
    assert set(table["kind"]) == {"Check domain"}
    page.button(key="jobs.older").click().run()
    assert len(page.dataframe[0].value) == 5
    page.selectbox(key="jobs.status").select("finished").run()
    (line,) = page.dataframe[0].value.to_dict("records")
    assert (line["status"], line["result"], line["by"]) == ("● finished", "yes", "Ada *Byron*")


def test_blocks_that_ended(look: Look, write: Any) -> None:
    campaign = write.running()
    write.finish(campaign)
    (line,) = look("workers").dataframe[0].value.to_dict("records")
    assert (line["campaign"], line["runs"], line["steps"]) == (campaign, 1, 2)


def test_the_history_of_workers(look: Look, write: Any) -> None:
    with write.database.write() as session:
        add_worker_event(session, WorkerEvent(kind="started", host="lab", pid=7, processes=2))
        add_worker_event(session, WorkerEvent(kind="died", host="lab", pid=8, message="signal 9 (SIGKILL)"))
    died, started = look("workers").dataframe[0].value.to_dict("records")
    assert (died["what"], died["process"], died["why"]) == ("✕ died", 8, "signal 9 (SIGKILL)")
    assert (started["what"], started["processes of the pool"]) == ("▶ started", 2)


def test_one_job_while_it_waits_is_stopped(look: Look, write: Any, ask: Any) -> None:
    job = ask(3)
    page = look("workers", job=job)
    assert page.title[0].value == "Check domain"
    assert metrics(page)["Status"] == "○ waiting"
    assert "By Ada \\*Byron\\*" in captions(page)
    page.button(key=f"job.stop.{job}").click().run()
    assert not page.exception
    assert status(write, job) == "cancelled"
    assert metrics(page)["Status"] == "⊘ cancelled"


def test_one_job_that_failed(look: Look, write: Any, ask: Any, token: Callable[[str], None]) -> None:
    ask()
    job = fail(write)
    page = look("workers", job=job)
    assert page.error[0].value == "the law \\*rate\\* has no unit"
    page.button(key=f"job.retry.{job}").click().run()
    assert status(write, job) == "waiting"
    fail(write)
    token("viewer")
    assert look("workers", job=job).button(key=f"job.retry.{job}").disabled


@pytest.mark.parametrize("size", [3, 30_000])
def test_one_job_and_what_came_of_it(look: Look, write: Any, ask: Any, size: int) -> None:
    ask()
    job = finish(write, {"drawn": "x" * size})
    page = look("workers", job=job)
    assert metrics(page)["Status"] == "● finished"
    assert len(page.json) == (2 if size == 3 else 1)
    assert ("too much to show here" in captions(page)) == (size > 3)
    assert page.get("download_button")


def test_a_job_that_is_not_there(look: Look) -> None:
    assert "There is no job 'nothing'" in look("workers", job="nothing").error[0].value


def test_many(look: Look, write: Any, ask: Any) -> None:
    for number in range(15):
        write.fail(write.scheduled(number), f"reason {number}")
        ask(number)
        fail(write)
    page = look("workers")
    assert len([button for button in page.button if button.key.startswith("failed.")]) == 20
    assert "More jobs have failed" in captions(page)
