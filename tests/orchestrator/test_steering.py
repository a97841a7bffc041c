"""Campaigns kept within caps, taken up again, made larger, repeated, and waited for; and workers that die."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col
from typer.testing import CliRunner

from experiments_db import models, queries, record, recurrences, scheduling
from experiments_db.database import Database
from orchestrator import caps, deaths, lease, recurring, services, steering
from orchestrator.advance import advance_next
from orchestrator.cli.main import app
from orchestrator.errors import RequestError
from orchestrator.limits import memory_limit_mb, ran_out_of_memory
from orchestrator.owner import this_process
from orchestrator.settings import Settings
from orchestrator.timetable import read_duration, read_moment


def create(settings: Settings, database: Database, timetable: dict[str, object] | None = None, **values: object) -> str:
    about = {"domain": "enzyme-kinetics", "policy": "random", "budget": 2, "particles": 60, "runs": 2, **values}
    request = services.campaign_request(timetable=timetable or {}, **about)
    return services.create_campaign(settings, database, request).id


def work(settings: Settings, database: Database) -> None:
    """Do whatever is to be done, as one worker would."""
    for _ in range(100):
        if advance_next(database, settings, lambda: None) == ("busy", None):
            return
    pytest.fail("there was no end to the work")


def status(database: Database, campaign: str) -> dict[str, object]:
    return services.campaign_status(database, campaign)


def organon(*arguments: str) -> object:
    done = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_campaign_pauses_before_its_cap_and_goes_on_once_extended(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, {"max_experiments": 3})
    work(settings, database)
    paused = status(database, campaign)
    assert (paused["status"], paused["progress"]["experiments"]) == ("paused", 2)
    assert "the campaign's cap is 3 (organon campaign extend --max-experiments N)" in str(paused["message"])
    extended = organon("campaign", "extend", campaign[:8], "--max-experiments", "4")
    assert extended == {"id": campaign, "status": "running", "runs": 2, "max_experiments": 4, "max_cost": None}
    work(settings, database)
    assert (status(database, campaign)["status"], status(database, campaign)["message"]) == ("finished", "")


def test_a_cap_on_the_cost(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, {"max_cost": 2.5})
    work(settings, database)
    assert "a cost of 2 is recorded and the next step adds at least 2" in str(status(database, campaign)["message"])


def test_blocks_of_one_campaign_do_not_pass_its_cap_together(settings: Settings, database: Database) -> None:
    """Another block is at work with what is left: this one waits and does not end the campaign's day."""
    settings = settings.model_copy(update={"block_runs": 2})
    campaign = create(settings, database, {"max_experiments": 3}, runs=4)
    with database.write() as session:
        first, second = queries.unfinished_blocks(session, campaign)
        claim = {"owner": "elsewhere/1/1.0", "now": datetime.now(UTC), "lease_seconds": 60.0}
        assert record.claim_block(session, first, **claim, owner_is_alive=lambda _: True)
    assert advance_next(database, settings, lambda: None) == ("again", second)
    with database.read() as session:
        kept = queries.get_block(session, second)
    assert status(database, campaign)["status"] == "running"
    assert (kept.step, kept.lease_owner) == (0, None)
    assert kept.retry_at is not None


def test_a_cap_of_all_agents_holds_campaigns_back_and_says_so(settings: Settings, database: Database) -> None:
    organon("cap", "set", "--experiments", "2")
    organon("cap", "set", "--agent", "sobol", "--total", "--cost", "1")
    campaign = create(settings, database)
    work(settings, database)
    held = status(database, campaign)
    assert (held["status"], held["progress"]["experiments"]) == ("running", 2)
    assert held["waits_for"] == (
        "it waits: the cap of 2 experiments today of all agents together is reached (organon cap list)"
    )
    listed = organon("cap", "list")
    assert [(cap["agent"], cap["experiments"], cap["cost"], cap["period"]) for cap in listed] == [
        (None, 2, 2.0, "day"),
        ("sobol", 0, 0.0, "total"),
    ]
    caps.set_cap(database, "", "day", None, None)
    work(settings, database)
    assert status(database, campaign)["status"] == "finished"


@pytest.mark.parametrize(
    ("period", "experiments", "cost", "says"),
    [("week", 1, None, "found 'week'"), ("day", -1, None, "found -1"), ("day", None, float("nan"), "nan")],
)
def test_caps_that_are_none(
    database: Database, period: str, experiments: int | None, cost: float | None, says: str
) -> None:
    with pytest.raises(RequestError, match=says):
        caps.set_cap(database, "", period, experiments, cost)


def test_more_runs_leave_the_first_as_they_were(settings: Settings, database: Database) -> None:
    campaign = create(settings, database)
    work(settings, database)
    with database.read() as session:
        before = [(row["run_index"], row["step"], row["outcome"]) for row in queries.experiments(session, campaign)]
    assert status(database, campaign)["finding"]["runs"] == 2
    extended = steering.extend_campaign(settings, database, campaign, runs=3)
    assert (extended.status, extended.runs) == ("running", 5)
    assert status(database, campaign)["finding"] is None
    work(settings, database)
    ended = status(database, campaign)
    assert (ended["status"], ended["finding"]["runs"], ended["progress"]["experiments"]) == ("finished", 5, 10)
    with database.read() as session:
        after = [(row["run_index"], row["step"], row["outcome"]) for row in queries.experiments(session, campaign)]
    assert after[: len(before)] == before


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "nothing to extend by"),
        ({"runs": -1}, "--runs -1"),
        ({"runs": 1_000_000}, "at most 1,000,000 runs"),
        ({"max_experiments": 0}, "--max-experiments 0"),
        ({"max_cost": float("inf")}, "--max-cost inf"),
    ],
)
def test_extensions_that_are_none(settings: Settings, database: Database, asked: dict[str, float], says: str) -> None:
    campaign = create(settings, database)
    with pytest.raises(RequestError, match=says):
        steering.extend_campaign(settings, database, campaign, **asked)


def test_what_cannot_be_retried_or_extended_says_why(settings: Settings, database: Database) -> None:
    campaign = create(settings, database)
    with pytest.raises(RequestError, match="is scheduled; only one that has failed can be tried again"):
        steering.retry_campaign(settings, database, campaign)
    services.cancel_campaign(database, campaign)
    with pytest.raises(RequestError, match="is cancelled; it cannot be extended"):
        steering.extend_campaign(settings, database, campaign, runs=1)


@pytest.mark.parametrize("told", [True, False])
def test_the_verdict_waits_once_until_it_is_known_what_the_workers_died_of(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    monkeypatch.setattr(deaths, "_KNOWN_SECONDS", 0.01)
    settings = settings.model_copy(update={"attempts": 1, "retry_seconds": 0.01})
    campaign = create(settings, database)
    owner = f"{os.uname().nodename}/101/1.00"
    with database.write() as session:
        by = scheduling.Claimant(owner, datetime.now(UTC), 60.0, 1.0, lambda _: False)
        claimed = scheduling.claim_next(session, by)
        assert claimed is not None
        assert deaths.judge(session, settings, claimed) == "try"
    time.sleep(0.05)
    assert advance_next(database, settings, lambda: None) == ("busy", None)
    assert status(database, campaign)["status"] == "running"
    if told:
        with database.write() as session:
            assert scheduling.note_fault(session, owner.removesuffix("1.00"), "signal 11 (SIGSEGV)")
    time.sleep(0.05)
    assert advance_next(database, settings, lambda: None)[0] == "finished"
    cause = "signal 11 (SIGSEGV)" if told else "a cause that is not known"
    assert f"died 1 times in a row over block 0 at step 0, last of {cause}" in str(
        status(database, campaign)["message"]
    )


def test_workers_that_die_end_their_campaign_with_the_reason_and_it_can_be_retried(
    settings: Settings, database: Database
) -> None:
    """Deaths are simulated by claims that nobody follows up; the last one's cause comes through the pipe."""
    settings = settings.model_copy(update={"attempts": 2, "retry_seconds": 0.01})
    campaign, well = create(settings, database), create(settings, database, {"priority": -1})
    pipe = deaths.Deaths()
    for pid in (101, 102):
        time.sleep(0.03)
        owner = f"{os.uname().nodename}/{pid}/1.00"
        with database.write() as session:
            by = scheduling.Claimant(owner, datetime.now(UTC), 60.0, 1.0, lambda _: False)
            claimed = scheduling.claim_next(session, by)
            assert claimed is not None
            assert claimed.block.campaign_id == campaign
            assert deaths.judge(session, settings, claimed) == "try"
        lost = {"pid": pid, "cause": "Worker exited prematurely: signal 14 (SIGALRM) Job: 3."}
        os.write(pipe.writing, json.dumps(lost).encode() + b"\n")
        pipe.note(database)
    assert "workers died over it" in str(status(database, campaign)["waits_for"])
    time.sleep(0.05)
    assert advance_next(database, settings, lambda: None)[0] == "finished"
    failed = status(database, campaign)
    assert failed["status"] == "failed"
    assert "died 2 times in a row over block 0 at step 0, last of signal 14 (SIGALRM)" in str(failed["message"])
    assert "ORGANON_STEP_LIMIT_SECONDS" in str(failed["message"])
    work(settings, database)
    assert status(database, well)["status"] == "finished"
    assert organon("campaign", "retry", campaign) == {"id": campaign, "status": "retried"}
    work(settings, database)
    assert status(database, campaign)["status"] == "finished"
    pipe.close()


def test_the_alarm_kills_a_process_that_hangs_in_a_library_and_not_one_that_gets_on() -> None:
    code = (
        "import ctypes, time\nfrom orchestrator.limits import StepAlarm\nalarm = StepAlarm(0.6)\n"
        "with alarm.set():\n    for _ in range(5):\n        time.sleep(0.25)\n        alarm.progress()\n"
        "print('got on', flush=True)\ntime.sleep(0.8)\nprint('and is off', flush=True)\n"
        "with alarm.set():\n    ctypes.PyDLL(None).pause()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "got on\nand is off\n"
    assert done.returncode == -signal.SIGALRM


def test_memory_beyond_the_limit_is_refused_by_the_system() -> None:
    code = (
        "import torch\nfrom orchestrator.limits import limit_memory, ran_out_of_memory\nlimit_memory(1500)\n"
        "torch.zeros(10_000_000)\n"
        "for eat in (lambda: torch.ones(400_000_000, dtype=torch.float64), lambda: bytearray(3_000_000_000)):\n"
        "    try:\n        eat()\n    except Exception as error:\n        print(ran_out_of_memory(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "True\nTrue\n", done.stderr
    assert memory_limit_mb(700, 2) == 700
    assert memory_limit_mb(0, 2) > memory_limit_mb(0, 4) >= 1024
    assert not ran_out_of_memory(ValueError("no"))


def test_a_lease_is_renewed_while_a_step_takes_long(settings: Settings, database: Database) -> None:
    campaign, owner = create(settings, database), this_process()
    with database.write() as session:
        (block,) = queries.unfinished_blocks(session, campaign)
        claim = {"owner": owner, "now": datetime.now(UTC), "lease_seconds": 0.6}
        record.claim_block(session, block, **claim, owner_is_alive=lambda _: True)
    with lease.heartbeat(database, block, owner, 0.6):
        time.sleep(1.5)
        with database.read() as session:
            until = queries.get_block(session, block).lease_until
        assert until is not None
        assert until > datetime.now(UTC)
    assert threading.active_count() == 1
    assert lease.give_back(database, owner) == 1


def test_a_campaign_begins_at_its_time(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, {"start": datetime.now(UTC) + timedelta(hours=1)})
    work(settings, database)
    waiting = status(database, campaign)
    assert waiting["status"] == "scheduled"
    assert str(waiting["waits_for"]).startswith("it begins at ")
    with database.write() as session:
        session.execute(update(models.Campaign).values(start_at=datetime.now(UTC) - timedelta(seconds=1)))
    work(settings, database)
    assert status(database, campaign)["status"] == "finished"


def test_a_campaign_is_repeated_with_the_next_seed_until_it_is_stopped(settings: Settings, database: Database) -> None:
    created = organon("campaign", "create", "--domain", "enzyme-kinetics", "--policy", "random", "--budget", "2",
                      "--particles", "60", "--seed", "8", "--every", "1h", "--priority", "3")["id"]  # fmt: skip
    assert recurring.begin_due(settings, database) == 0
    with database.write() as session:
        overdue = update(models.Recurrence).values(next_at=datetime.now(UTC) - timedelta(seconds=1))
        session.execute(overdue.where(col(models.Recurrence.campaign_id) == created))
    assert [recurring.begin_due(settings, database) for _ in range(2)] == [1, 0]
    work(settings, database)
    campaigns = services.list_campaigns(database)
    assert sorted((line["seed"], line["status"]) for line in campaigns) == [(8, "finished"), (9, "finished")]
    (line,) = organon("campaign", "recurring")
    assert (line["campaign"], line["made"], line["active"]) == (created, 1, True)
    assert organon("campaign", "recurring", "--stop", created) == {"id": created, "status": "stopped"}
    with pytest.raises(RequestError, match="is not repeated"):
        recurring.stop_recurring(database, created)
    with database.read() as session:
        assert not recurrences.recurrences(session, created)[0].active


def test_durations_and_moments(tmp_path: Path) -> None:
    assert [read_duration(written) for written in ("90s", "15m", "1.5h", "1d", "2w")] == [90, 900, 5400, 86400, 1209600]
    for wrong in ("", "1", "h", "-1h", "1y", "0s", "900000000d"):
        with pytest.raises(RequestError, match="--every"):
            read_duration(wrong)
    assert read_moment("2027-01-31T08:00+02:00") == datetime(2027, 1, 31, 6, tzinfo=UTC)
    assert read_moment("2027-01-31T08:00").tzinfo is not None
    with pytest.raises(RequestError, match="--start 'tomorrow'"):
        read_moment("tomorrow")
    with pytest.raises(RequestError, match=r"--times .*needs --every"):
        services.campaign_request(domain="ces", timetable={"times": 2})
    with pytest.raises(RequestError, match="--priority 101"):
        services.campaign_request(domain="ces", timetable={"priority": 101})
