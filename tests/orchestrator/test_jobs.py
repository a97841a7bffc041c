"""Jobs beside campaigns: done once, by whoever lives, in slices, and ended with the reason."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from experiments_db import jobs as record
from experiments_db.database import Database
from experiments_db.errors import ConflictError, NotFoundError
from experiments_db.jobs import JobRecord
from experiments_db.worker_events import worker_events
from orchestrator import deaths, job_work, jobs, services
from orchestrator.errors import RequestError
from orchestrator.job_work import Work, work_next
from orchestrator.owner import this_process
from orchestrator.settings import Settings

HOST = socket.gethostname()


def double(work: Work) -> dict[str, Any]:
    return {"doubled": 2 * work.arguments["number"]}


def count_to_three(work: Work) -> dict[str, Any] | None:
    """One step a slice: how far it is stands in the record."""
    work.tell(work.job.share + 0.4, f"step {work.job.share:g}")
    return {"share": work.job.share} if work.job.share > 0.7 else None


def asks_too_much(work: Work) -> dict[str, Any]:
    raise {"words": RequestError("no such thing"), "bare": ZeroDivisionError(), "memory": MemoryError()}[
        work.arguments["how"]
    ]


def is_cancelled_meanwhile(work: Work) -> dict[str, Any]:
    jobs.cancel(work.database, work.job.id)
    work.tell(0.5, "half")
    pytest.fail("it went on")


def meets_a_broken_table(work: Work) -> dict[str, Any]:
    del work
    raise OperationalError("SELECT", {}, Exception("no such table: lost"))


def says_infinity(work: Work) -> dict[str, Any]:
    del work
    return {"value": float("inf")}


def conflicts(work: Work) -> dict[str, Any]:
    del work
    raise ConflictError("that name is taken")


KINDS = {
    function.__name__: f"{__name__}:{function.__name__}"
    for function in (
        double, count_to_three, asks_too_much, is_cancelled_meanwhile, meets_a_broken_table, says_infinity, conflicts
    )
}  # fmt: skip


@pytest.fixture
def settings() -> Settings:
    return Settings(attempts=2)


@pytest.fixture
def database(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(job_work, "import_module", _this_module)
    for kind, place in KINDS.items():
        monkeypatch.setitem(jobs.KINDS, kind, place)
    opened = services.open_database(settings)
    yield opened
    opened.close()


def _this_module(name: str) -> Any:
    """Test files lie outside of what can be imported."""
    assert name == __name__
    return type("Functions", (), {name: staticmethod(globals()[name]) for name in KINDS})


@pytest.fixture
def ask(settings: Settings, database: Database) -> Callable[..., JobRecord]:
    return lambda kind, **arguments: jobs.ask(settings, database, kind, arguments, "Ada")


def get(database: Database, job: JobRecord) -> JobRecord:
    with database.read() as session:
        return record.get_job(session, job.id)


def claim(database: Database, owner: str, alive: bool = True, lease_seconds: float = 60.0) -> record.ClaimedJob | None:
    with database.write() as session:
        return record.claim_job(
            session,
            owner=owner,
            now=datetime.now(UTC),
            lease_seconds=lease_seconds,
            owner_is_alive=lambda _: alive,
        )


def test_what_is_asked_twice_is_done_once(settings: Settings, database: Database, ask: Any) -> None:
    first, second = ask("double", number=21), ask("double", number=21)
    other = ask("double", number=4)
    assert first.id == second.id != other.id
    assert work_next(database, settings, lambda: None) == ("finished", first.id)
    done = get(database, first)
    assert (done.status, done.result, done.share, done.by) == ("finished", {"doubled": 42}, 1.0, "Ada")
    assert done.started_at is not None
    assert done.finished_at is not None
    assert ask("double", number=21) == done, "nor is it done again later"
    assert jobs.look(database, "double", {"number": 21}) == done
    assert jobs.look(database, "double", {"number": 22}) is None
    assert work_next(database, settings, lambda: None) == ("finished", other.id)
    assert work_next(database, settings, lambda: None) == ("busy", None)


def test_what_is_no_kind_is_not_asked_for(ask: Any, database: Database) -> None:
    with pytest.raises(RequestError, match=r"there is no kind of job 'triple'; there are .*double"):
        ask("triple", number=1)
    with database.read() as session, pytest.raises(NotFoundError, match="no job 'x'"):
        record.get_job(session, "x")


def test_a_kind_that_these_workers_do_not_know(
    settings: Settings, database: Database, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ask("double", number=1)
    monkeypatch.delitem(jobs.KINDS, "double")
    work_next(database, settings, lambda: None)
    assert "know no kind of job 'double': they run another version" in get(database, job).message


def test_a_job_whose_worker_is_gone_is_claimed_again(settings: Settings, database: Database, ask: Any) -> None:
    job = ask("double", number=1)
    assert claim(database, f"{HOST}/{os.getpid()}/1.00") is not None
    assert claim(database, "another") is None, "whoever lives keeps it"
    assert work_next(database, settings, lambda: None) == ("finished", job.id)  # its start time says: another process
    assert get(database, job).status == "finished"


def test_a_job_far_away_is_claimed_again_when_its_lease_is_over(database: Database, ask: Any) -> None:
    ask("double", number=1)
    assert claim(database, "elsewhere/7/1.00", lease_seconds=0.05) is not None
    time.sleep(0.1)
    again = claim(database, "here")
    assert again is not None
    assert (again.job.attempts, again.before) == (2, "elsewhere/7/1.00")


def test_what_a_process_lost_track_of_it_claims_again(settings: Settings, database: Database, ask: Any) -> None:
    job = ask("double", number=1)
    assert claim(database, this_process()) is not None
    assert work_next(database, settings, lambda: None) == ("finished", job.id)


@pytest.mark.parametrize("told", ["before", "afterwards", "never"])
def test_a_job_that_kills_its_workers_is_given_up_with_the_reason(
    settings: Settings, database: Database, ask: Any, told: str
) -> None:
    """Deaths are simulated by claims that nobody follows up; causes come through the pipe."""
    poison = ask("double", number=1)
    pipe = deaths.Deaths()
    for pid in (101, 102):
        assert claim(database, f"{HOST}/{pid}/1.00", alive=False) is not None
    lost = {"pid": 102, "cause": "Worker exited prematurely: signal 9 (SIGKILL) Job: 3."}
    os.write(pipe.writing, json.dumps(lost).encode() + b"\n")
    if told == "before":
        pipe.note(database)
    assert work_next(database, settings, lambda: pytest.fail("it was tried once more")) == ("finished", poison.id)
    if told == "afterwards":
        pipe.note(database)
    pipe.close()
    failed = get(database, poison)
    assert failed.status == "failed"
    assert failed.message.startswith("2 workers in a row came to nothing over it")
    assert failed.message.count("; the last died of signal 9 (SIGKILL) (somebody killed it") == (told != "never")
    with database.read() as session:
        events = worker_events(session)
    assert [(event.kind, event.host, event.pid) for event in events] == [("died", HOST, 102)] * (told != "never")
    assert all("SIGKILL" in event.message for event in events)


def test_a_slice_that_was_done_forgets_deaths(settings: Settings, database: Database, ask: Any) -> None:
    job = ask("count_to_three")
    for pid in (101, 102):
        assert claim(database, f"{HOST}/{pid}/1.00", alive=False) is not None
    with database.write() as session:
        record.note_job_fault(session, f"{HOST}/102/", "signal 11 (SIGSEGV)")
        record.release_job(session, job.id, f"{HOST}/102/1.00", datetime.now(UTC))
    assert get(database, job).message == ""
    assert work_next(database, settings, lambda: None) == ("again", job.id), "it is tried on"


def test_who_says_how_far_it_is_and_dies_has_tried_all_the_same(
    settings: Settings, database: Database, ask: Any
) -> None:
    """Else a job that kills its worker after its first words would do so for ever."""
    poison = ask("double", number=1)
    for pid in (101, 102):
        assert claim(database, f"{HOST}/{pid}/1.00", alive=False) is not None
        with database.write() as session:
            record.note_progress(session, poison.id, f"{HOST}/{pid}/1.00", 0.1, "on its way")
    assert work_next(database, settings, lambda: pytest.fail("it was tried once more")) == ("finished", poison.id)
    assert get(database, poison).message.startswith("2 workers in a row came to nothing over it")


def test_what_is_done_at_last_tells_of_no_fault(settings: Settings, database: Database, ask: Any) -> None:
    job = ask("double", number=1)
    assert claim(database, f"{HOST}/101/1.00", alive=False) is not None
    with database.write() as session:
        record.note_job_fault(session, f"{HOST}/101/", "signal 11 (SIGSEGV)")
    work_next(database, settings, lambda: None)
    done = get(database, job)
    assert (done.status, done.message) == ("finished", "")


def test_a_record_that_fails_each_time_is_no_reason_to_go_on_for_ever(
    settings: Settings, database: Database, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_work, "_REST_SECONDS", 0.0)
    job = ask("meets_a_broken_table")
    outcomes = [work_next(database, settings, lambda: None)[0] for _ in range(3)]
    assert outcomes == ["again", "again", "finished"]
    failed = get(database, job)
    assert failed.status == "failed"
    assert "2 workers in a row came to nothing over it; the last could not use the record" in failed.message
    assert "no such table: lost" in failed.message


def test_a_cancelled_job_stops_at_its_next_sign_of_progress(settings: Settings, database: Database, ask: Any) -> None:
    job = ask("is_cancelled_meanwhile")
    assert work_next(database, settings, lambda: None) == ("finished", job.id)
    ended = get(database, job)
    assert (ended.status, ended.message, ended.result) == ("cancelled", "", None)
    with pytest.raises(RequestError, match="is cancelled; it cannot be cancelled"):
        jobs.cancel(database, job.id)
    assert ask("is_cancelled_meanwhile").id != job.id, "it may be asked for again"


def test_a_cancelled_job_that_waits_is_never_begun(settings: Settings, database: Database, ask: Any) -> None:
    job = ask("double", number=3)
    jobs.cancel(database, job.id)
    assert work_next(database, settings, lambda: None) == ("busy", None)
    with pytest.raises(RequestError, match="is cancelled; only a failed one is tried again"):
        jobs.retry(settings, database, job.id)


@pytest.mark.parametrize(
    ("bad_one", "said"),
    [
        (("asks_too_much", {"how": "words"}), "no such thing"),
        (("asks_too_much", {"how": "bare"}), "ZeroDivisionError"),
        (("asks_too_much", {"how": "memory"}), "it needs more memory than a worker may have"),
        (("says_infinity", {}), "A value cannot be recorded"),
        (("conflicts", {}), "that name is taken"),
    ],
)
def test_a_job_that_cannot_be_done_fails_in_words_and_the_worker_goes_on(
    settings: Settings, database: Database, ask: Any, bad_one: tuple[str, dict[str, Any]], said: str
) -> None:
    bad, good = ask(bad_one[0], **bad_one[1]), ask("double", number=1)
    assert work_next(database, settings, lambda: None) == ("finished", bad.id)
    failed = get(database, bad)
    assert failed.status == "failed"
    assert said in failed.message
    assert "Traceback" not in failed.message
    assert work_next(database, settings, lambda: None) == ("finished", good.id)
    assert get(database, good).status == "finished"


def test_a_failed_job_is_tried_again(settings: Settings, database: Database, ask: Any) -> None:
    job = ask("asks_too_much", how="words")
    work_next(database, settings, lambda: None)
    jobs.retry(settings, database, job.id)
    waiting = get(database, job)
    assert (waiting.status, waiting.message, waiting.attempts, waiting.finished_at) == ("waiting", "", 0, None)
    assert work_next(database, settings, lambda: None) == ("finished", job.id)
    assert get(database, job).status == "failed"


def test_slices_of_jobs_take_turns(settings: Settings, database: Database, ask: Any) -> None:
    long, short = ask("count_to_three"), ask("double", number=1)
    progress: list[None] = []
    turns = [work_next(database, settings, lambda: progress.append(None)) for _ in range(4)]
    assert turns == [("again", long.id), ("finished", short.id), ("again", long.id), ("finished", long.id)]
    assert len(progress) == 3, "each sign of progress holds off the alarm"
    done = get(database, long)
    assert done.result == {"share": pytest.approx(0.8)}
    assert (done.share, done.saying, done.attempts) == (1.0, "", 1)


def test_the_lease_is_kept_while_a_job_takes_long(
    settings: Settings, database: Database, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = settings.model_copy(update={"lease_seconds": 1.2})  # and yet long beside a beat on a busy machine
    job = ask("double", number=1)

    def slow(work: Work) -> dict[str, Any]:
        time.sleep(2.0)
        assert claim(work.database, "another") is None
        return {}

    monkeypatch.setitem(globals(), "double", slow)
    work_next(database, short, lambda: None)
    assert get(database, job).status == "finished"


def test_counts_lists_and_what_waits(settings: Settings, database: Database, ask: Any) -> None:
    asked = [ask("double", number=number) for number in range(5)]
    work_next(database, settings, lambda: None)
    with database.read() as session:
        assert record.job_counts(session) == {"waiting": 4, "finished": 1}
        now = datetime.now(UTC) + timedelta(seconds=1)
        assert record.waiting_jobs(session, now, lambda _: True) == [job.id for job in asked[1:]]
        assert [job.id for job in record.list_jobs(session, status="finished")] == [asked[0].id]
        assert len(record.list_jobs(session, limit=2, offset=1)) == 2
