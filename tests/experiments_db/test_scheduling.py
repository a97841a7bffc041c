"""Whose turn it is, the same on every database: priorities, shares, start times, retries, caps, repetitions."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from experiments_db import accounts, queries, record, recurrences, scheduling, steering
from experiments_db.database import Database
from experiments_db.models import Campaign, Cap, Domain, Recurrence

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Add = Callable[..., str]


@pytest.fixture
def add(database: Database) -> Add:
    """Records a campaign of blocks of two runs each and returns its id; created a second apart."""
    count = 0

    def add(blocks: int = 1, **values: Any) -> str:
        nonlocal count
        count += 1
        created_at = NOW - timedelta(hours=1) + timedelta(seconds=count)
        about = {"policy": "random", "budget": 9.0, "created_at": created_at, **values}
        campaign = Campaign(domain_identity="d", runs=2 * blocks, **about)
        name = campaign.id
        with database.write() as session:
            record.save_domain(session, Domain(identity="d", name="cooling"))
            record.create_campaign(session, campaign, [2] * blocks)
        return name

    return add


def claimant(now: datetime = NOW, owner: str = "me", **changes: Any) -> scheduling.Claimant:
    values = {"lease_seconds": 60.0, "slice_seconds": 2.0, "owner_is_alive": lambda _: True, **changes}
    return scheduling.Claimant(owner=owner, now=now, **values)


def claim(database: Database, **about: Any) -> scheduling.Claimed | None:
    with database.write() as session:
        return scheduling.claim_next(session, claimant(**about))


def turn(database: Database, **about: Any) -> str | None:
    """Claim what comes next and release it at once; whose it was."""
    with database.write() as session:
        claimed = scheduling.claim_next(session, claimant(**about))
        if claimed is None:
            return None
        record.release_block(session, claimed.block.id or 0, about.get("owner", "me"))
        return claimed.block.campaign_id


def waiting(database: Database, now: datetime = NOW, alive: bool = True) -> list[int]:
    with database.read() as session:
        return scheduling.waiting_blocks(session, now, lambda _: alive, 0.0)


def test_campaigns_share_alike_however_many_blocks_they_have(database: Database, add: Add) -> None:
    large, small = add(blocks=20), add()
    assert Counter(turn(database) for _ in range(40)) == {large: 20, small: 20}


def test_of_many_queued_at_once_each_has_its_turn_before_any_has_two(database: Database, add: Add) -> None:
    campaigns = {add() for _ in range(40)}
    served = []
    for _ in range(40):
        with database.write() as session:
            claimed = scheduling.claim_next(session, claimant())
            assert claimed is not None
            served.append(claimed.block.campaign_id)
            assert claimed.others_wait == (len(served) < 40)
            record.release_block(session, claimed.block.id or 0, "me")
    assert set(served) == campaigns


def test_a_higher_priority_goes_first_and_equals_share(database: Database, add: Add) -> None:
    ordinary = add()
    urgent = {add(priority=5), add(priority=5)}
    add(priority=-3)
    assert {turn(database) for _ in range(6)} == urgent
    for campaign in urgent:
        with database.write() as session:
            assert record.cancel_campaign(session, campaign, NOW)
    assert turn(database) == ordinary


def test_a_newcomer_is_served_first_and_then_shares(database: Database, add: Add) -> None:
    old = add()
    assert {turn(database) for _ in range(50)} == {old}
    new = add()
    turns = [turn(database) for _ in range(9)]
    assert turns[0] == new
    assert Counter(turns[1:]) == {old: 4, new: 4}, "no debts of the past are collected"


def test_a_campaign_that_was_paused_collects_no_debts(database: Database, add: Add) -> None:
    paused, other = add(), add()
    assert {turn(database), turn(database)} == {paused, other}
    with database.write() as session:
        assert record.pause_campaign(session, paused)
    assert {turn(database) for _ in range(30)} == {other}
    with database.write() as session:
        assert record.resume_campaign(session, paused)
        scheduling.rejoin(session, paused)
    assert Counter(turn(database) for _ in range(10)) == {paused: 5, other: 5}


def test_a_campaign_kept_back_for_long_catches_up_by_little(database: Database, add: Add) -> None:
    kept, other = add(), add()
    assert {turn(database), turn(database)} == {kept, other}
    with database.write() as session:
        (block,) = queries.unfinished_blocks(session, kept)
        scheduling.postpone(session, block, NOW + timedelta(days=1))
    assert {turn(database) for _ in range(50)} == {other}
    later = Counter(turn(database, now=NOW + timedelta(days=2)) for _ in range(40))
    assert later[kept] - later[other] == pytest.approx(10, abs=2), "ten turns, and then they share again"


def test_less_time_than_was_charged_is_given_back(database: Database, add: Add) -> None:
    brief, long = add(), add()
    for _ in range(2):
        campaign = turn(database)
        with database.write() as session:
            scheduling.serve(session, str(campaign), -1.5 if campaign == brief else 0.0)
    assert [turn(database) for _ in range(2)] == [brief, long]


def test_nothing_begins_before_its_time(database: Database, add: Add) -> None:
    later = add(start_at=NOW + timedelta(minutes=5))
    assert turn(database) is None
    assert waiting(database) == []
    assert len(waiting(database, NOW + timedelta(minutes=5))) == 1
    assert turn(database, now=NOW + timedelta(minutes=5)) == later


def test_attempts_count_until_something_is_recorded(database: Database, add: Add) -> None:
    add()
    for attempt in (1, 2, 3):
        claimed = claim(database, owner=f"worker {attempt}", owner_is_alive=lambda _: False)
        assert claimed is not None
        assert claimed.block.attempts == attempt
        with database.write() as session:
            noted = scheduling.note_fault(session, "worker", "signal 11")
        assert noted == [claimed.block.id]
    with database.read() as session:
        assert scheduling.faults(session, claimed.block.campaign_id) == [scheduling.FaultRecord(0, 3, "signal 11")]
    with database.write() as session:
        record.record_step(
            session, noted[0], owner="worker 3", step=0, experiments=[], now=NOW, lease_seconds=60
        )  # fmt: skip
        block = queries.get_block(session, noted[0])
        assert (block.attempts, block.retry_at) == (0, None)


def test_a_retry_is_waited_for_and_the_others_go_on(database: Database, add: Add) -> None:
    first, second = add(), add()
    claimed = claim(database)
    assert claimed is not None
    assert claimed.block.campaign_id == first
    with database.write() as session:
        scheduling.postpone(session, claimed.block.id or 0, NOW + timedelta(seconds=30))
    dead = {"owner": "other", "owner_is_alive": lambda _: False}
    assert [turn(database, **dead) for _ in range(2)] == [second, second]
    assert turn(database, now=NOW + timedelta(seconds=31), **dead) == first


def test_a_live_lease_keeps_others_away_and_its_own_process_may_go_on(database: Database, add: Add) -> None:
    add()
    assert claim(database) is not None
    assert turn(database, owner="other") is None
    assert claim(database) is not None, "what a process left behind when the database was away is its own"
    with database.write() as session:
        assert scheduling.renew_lease(session, 1, "other", NOW) is False
        assert scheduling.release_all(session, "me", NOW) == 1
        assert scheduling.release_all(session, "me", NOW) == 0
    with database.read() as session:
        assert queries.get_block(session, waiting(database)[0]).attempts == 0


def test_caps_of_agents_and_days(database: Database, add: Add) -> None:
    """Three experiments, two of them given: what was given is no experiment of the agent's."""
    mine, other = add(policy="random"), add(policy="sobol")
    claimed = claim(database)
    assert claimed is not None
    assert claimed.block.campaign_id == mine
    common: dict[str, Any] = {
        "design": {}, "outcome": {}, "information": None, "decision_ms": 0.0, "belief": {}, "candidates": [],
    }  # fmt: skip
    for step, given in enumerate((True, False)):
        rows = [record.NewExperiment(row=row, cost=1.5, given=given, **common) for row in range(2)]
        with database.write() as session:
            record.record_step(
                session, claimed.block.id or 0, owner="me", step=step, experiments=rows, now=NOW, lease_seconds=1
            )
    with database.write() as session:
        record.release_block(session, claimed.block.id or 0, "me")
        accounts.set_cap(session, Cap(agent="random", period="day", max_experiments=2))
        accounts.set_cap(session, Cap(agent="", period="total", max_cost=3.5))
        caps = accounts.caps(session, NOW)
        assert [(cap.agent, cap.used, cap.reached) for cap in caps] == [
            ("", accounts.Amount(2, 3.0), None),
            ("random", accounts.Amount(2, 3.0), "the cap of 2 experiments today of agent random is reached"),
        ]
    assert {turn(database), turn(database)} == {other}
    tomorrow = NOW + timedelta(days=1)
    assert {turn(database, now=tomorrow) for _ in range(4)} == {mine, other}
    with database.write() as session:
        accounts.set_cap(session, Cap(agent="", period="total", max_cost=3.0))
    assert turn(database, now=tomorrow) is None
    with database.write() as session:
        accounts.set_cap(session, Cap(agent="", period="total"))
    assert turn(database, now=tomorrow) is not None


@pytest.mark.parametrize("times", [None, 1])
def test_a_repetition_is_created_once_by_however_many_look(database: Database, add: Add, times: int | None) -> None:
    name = add(blocks=2, seed=2**63 - 1, settings={"batch": 1}, priority=4)
    with database.write() as session:
        first = Recurrence(campaign_id=name, every_seconds=60, next_at=NOW, times=times)
        recurrences.repeat(session, first)
    barrier, made = Barrier(4), []

    def look() -> None:
        barrier.wait()
        with database.write() as session:
            made.append(recurrences.begin(session, name, NOW + timedelta(seconds=150), {"organon": "9"}))

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (blocks,) = [blocks for blocks in made if blocks is not None]
    with database.read() as session:
        campaigns = queries.list_campaigns(session)
        (repeated,) = recurrences.recurrences(session, name)
        assert recurrences.due(session, NOW + timedelta(seconds=150)) == []
        again = queries.get_campaign(session, queries.get_block(session, blocks[0]).campaign_id)
    assert len(campaigns) == 2
    assert len(blocks) == 2
    assert (again.seed, again.runs, again.priority, again.versions) == (0, 4, 4, {"organon": "9"})
    assert again.settings == {"batch": 1, "repeats": {"campaign": name, "number": 1}}
    assert repeated.next_at == NOW + timedelta(seconds=180), "what was missed is made up for once"
    assert (repeated.made, repeated.active) == (1, times is None)
    with database.write() as session:
        assert recurrences.stop(session, name) == (times is None)


def test_a_failed_campaign_is_taken_up_where_it_stood(database: Database, add: Add) -> None:
    name = add(blocks=2)
    claimed = claim(database)
    assert claimed is not None
    with database.write() as session:
        assert not steering.retry_campaign(session, name)
        record.fail_campaign(session, name, "poison", NOW)
        assert steering.retry_campaign(session, name)
        campaign = queries.get_campaign(session, name)
        blocks = [queries.get_block(session, block) for block in queries.unfinished_blocks(session, name)]
    assert (campaign.status, campaign.message, campaign.finished_at) == ("running", "", None)
    assert [(block.status, block.attempts, block.lease_owner) for block in blocks] == [("scheduled", 0, None)] * 2
    assert turn(database) == name


def test_a_finished_campaign_gets_more_runs_and_its_finding_anew(database: Database, add: Add) -> None:
    name = add()
    claimed = claim(database)
    assert claimed is not None
    with database.write() as session:
        record.finish_block(session, claimed.block.id or 0, "me", NOW)
        assert record.finish_campaign(session, name, NOW)
        record.save_finding(session, name, None, {}, "as it was", NOW)
        assert steering.extend_campaign(session, name, steering.Extension(max_cost=7.0)) == []
        assert queries.get_campaign(session, name).status == "finished"
        assert queries.campaign_finding(session, name) is not None
        (block,) = steering.extend_campaign(session, name, steering.Extension([3])) or []
    with database.read() as session:
        campaign, new = queries.get_campaign(session, name), queries.get_block(session, block)
        assert (campaign.status, campaign.runs, campaign.max_cost) == ("running", 5, 7.0)
        assert (new.index, new.first_run, new.runs) == (1, 2, 3)
        assert [run.index for run in queries.campaign_runs(session, name)] == [0, 1, 2, 3, 4]
        assert queries.campaign_finding(session, name) is None


def test_a_campaign_at_its_cap_goes_on_once_extended_and_a_cancelled_one_does_not(database: Database, add: Add) -> None:
    name = add(max_experiments=4)
    with database.write() as session:
        scheduling.pause_because(session, name, "4 experiments are recorded")
        assert queries.get_campaign(session, name).message == "4 experiments are recorded"
        assert steering.extend_campaign(session, name, steering.Extension(max_experiments=9)) == []
        found = queries.get_campaign(session, name)
        assert (found.status, found.message, found.max_experiments) == ("scheduled", "", 9)
        record.cancel_campaign(session, name, NOW)
        assert steering.extend_campaign(session, name, steering.Extension([1])) is None
