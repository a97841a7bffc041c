"""Jobs on real workers, and the history that workers leave."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from experiments_db import jobs as record
from experiments_db.jobs import JobRecord
from experiments_db.worker_events import WorkerEventRecord, worker_events
from orchestrator import jobs
from orchestrator.settings import Settings
from tests.homes import PATIENCE, Home

if TYPE_CHECKING:
    from tests.integration.conftest import MakeHome

pytestmark = pytest.mark.integration
# What every Python of the home begins with: the workers know one kind of job more.
_KINDS = 'from orchestrator.jobs import KINDS\nKINDS["nap"] = "napping:nap"\n'
_NAPPING = """
import os, signal, time

def nap(work):
    if work.arguments.get("dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(work.arguments["seconds"])
    work.tell(0.5, "half asleep")
    return {"slept": work.arguments["seconds"], "process": os.getpid()}
"""


@pytest.fixture
def napping(make_home: "MakeHome", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose workers can sleep."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "sitecustomize.py").write_text(_KINDS)
    (tmp_path / "code" / "napping.py").write_text(_NAPPING)
    monkeypatch.setitem(jobs.KINDS, "nap", "napping:nap")
    root = Path(__file__).resolve().parents[2]
    return make_home(PYTHONPATH=f"{root}:{tmp_path / 'code'}", ORGANON_ATTEMPTS="2")


def settings_of(home: Home) -> Settings:
    named = {name.removeprefix("ORGANON_").lower(): value for name, value in home.environment.items()}
    return Settings(home=home.folder, **{n: named[n] for n in ("database_url", "broker_url") if n in named})


def ask(home: Home, **arguments: Any) -> str:
    with home.record() as database:
        return jobs.ask(settings_of(home), database, "nap", arguments, "Ada").id


def follow(home: Home, job: str, until: Callable[[JobRecord], bool]) -> JobRecord:
    deadline = time.monotonic() + PATIENCE
    with home.record() as database:
        while True:
            with database.read() as session:
                found = record.get_job(session, job)
            if until(found):
                return found
            assert time.monotonic() < deadline, f"{found}\n{home.logs()}"
            time.sleep(0.1)


def history(home: Home) -> list[WorkerEventRecord]:
    with home.record() as database, database.read() as session:
        return worker_events(session)


def await_history(home: Home, holds: Callable[[list[WorkerEventRecord]], bool]) -> None:
    """Wait until the history of workers is so."""
    deadline = time.monotonic() + PATIENCE
    while not holds(history(home)):
        assert time.monotonic() < deadline, home.logs()
        time.sleep(0.2)


def test_jobs_are_done_by_workers_also_while_many_blocks_wait(napping: Home) -> None:
    early = ask(napping, seconds=0.01)  # nobody listens yet: the first worker to come finds it in the record
    campaign = napping.create("--domain", "enzyme-kinetics", "--runs", "90", "--particles", "200")
    worker = napping.start("worker", "--processes", "1")
    assert follow(napping, early, lambda job: not job.open).status == "finished"
    napping.follow(campaign, lambda status: status["progress"]["experiments"] > 0)
    job = ask(napping, seconds=0.02)
    done = follow(napping, job, lambda job: not job.open)
    assert (done.status, done.share) == ("finished", 1.0)
    assert done.result is not None
    assert done.result["slept"] == 0.02
    assert napping.status(campaign)["status"] == "running", "thirty blocks did not have to be finished first"
    napping.stop(worker)
    assert napping.empties()


def test_a_job_that_kills_workers_fails_and_the_history_says_who_died_of_what(napping: Home) -> None:
    worker = napping.start("worker", "--processes", "1")
    poison = ask(napping, seconds=0, dies=True)
    failed = follow(napping, poison, lambda job: "died of" in job.message and not job.open)
    assert failed.status == "failed"
    assert "2 workers in a row came to nothing over it" in failed.message
    assert "SIGKILL" in failed.message
    assert follow(napping, ask(napping, seconds=0), lambda job: not job.open).status == "finished"
    # The pool says of what a process died some seconds after it did.
    await_history(napping, lambda events: sum("SIGKILL" in event.message for event in events) == 2)
    (pool,) = napping.pools()
    pool.kill()
    await_history(napping, lambda events: sum(event.kind == "started" for event in events) == 2)
    napping.stop(worker)
    events = history(napping)
    assert events[0].kind == "stopped", "newest first"
    assert events[-1].kind == "started"
    assert {event.processes for event in events if event.kind == "started"} == {1}
    died = [event.message for event in events if event.kind == "died"]
    assert died[0] == "the pool ended with status -9"
    assert len(died) == 3, "the pool, and two of its processes over the job"
    assert all("SIGKILL" in message for message in died[1:])
