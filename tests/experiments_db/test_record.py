"""The contract of the writes and reads, the same on every database."""

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from experiments_db import queries, record, scheduling
from experiments_db.database import Database
from experiments_db.errors import ConflictError, RecordError
from experiments_db.models import Block, Campaign

Started = tuple[str, list[int]]
Add = Callable[..., Started]

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def alive(_owner: str) -> bool:
    return True


def dead(_owner: str) -> bool:
    return False


def claim(database: Database, block: int, owner: str = "me", **changes: Any) -> Block | None:
    settings = {"now": NOW, "lease_seconds": 60, "owner_is_alive": alive} | changes
    with database.write() as session:
        return record.claim_block(session, block, owner=owner, **settings)


def experiment(row: int, **changes: Any) -> record.NewExperiment:
    values: dict[str, Any] = {
        "row": row,
        "design": {"time": 1.0 + row},
        "outcome": {"temperature": 20.5},
        "cost": 1.5,
        "information": 0.25,
        "decision_ms": 3.0,
        "belief": {"mechanism_probability": {"newton": 0.75}, "parameters": {"k": {"mean": 0.1}}, "diagnostics": {}},
        "candidates": [{"design": {"time": 1.0}, "score": 0.25}],
    }
    return record.NewExperiment(**(values | changes))


def step(database: Database, block: int, number: int, rows: list[int], owner: str = "me", **changes: Any) -> None:
    with database.write() as session:
        record.record_step(
            session,
            block,
            owner=owner,
            step=number,
            experiments=[experiment(row, **changes) for row in rows],
            now=NOW,
            lease_seconds=60,
        )


def finish(database: Database, block: int, owner: str = "me") -> None:
    with database.write() as session:
        record.finish_block(session, block, owner, NOW)


def test_a_campaign_is_created_with_its_blocks_and_runs(database: Database, campaign: Started) -> None:
    name, blocks = campaign
    with database.read() as session:
        assert [queries.get_block(session, block).first_run for block in blocks] == [0, 3]
        runs = queries.campaign_runs(session, name)
        found = queries.get_campaign(session, name)
        assert [run.id for run in queries.block_runs(session, blocks[1])] == [run.id for run in runs[3:]]
    assert [run.index for run in runs] == [0, 1, 2, 3, 4]
    assert (found.status, found.seed, found.created_at) == ("scheduled", 2**40, NOW)
    assert len(name) == 12
    assert set(name) <= set("0123456789abcdef")


@pytest.mark.parametrize("sizes", [[], [3, 1], [5, 0], [6, -1]])
def test_blocks_must_hold_exactly_the_runs(database: Database, campaign: Started, sizes: list[int]) -> None:
    with pytest.raises(RecordError, match="blocks of"), database.write() as session:
        record.create_campaign(session, Campaign(domain_identity="d" * 64, policy="p", runs=5, budget=1.0), sizes)


def test_a_status_outside_the_list_is_refused(database: Database, campaign: Started) -> None:
    wrong = Campaign(domain_identity="d" * 64, policy="p", runs=1, budget=1.0, status="odd")
    with pytest.raises(IntegrityError, match="ck_campaign_status"), database.write() as session:
        record.create_campaign(session, wrong, [1])


def test_a_claim_starts_block_and_campaign(database: Database, campaign: Started) -> None:
    block = claim(database, campaign[1][0])
    assert block is not None
    assert (block.status, block.lease_owner, block.step) == ("running", "me", 0)
    assert block.lease_until == NOW + timedelta(seconds=60)
    with database.read() as session:
        found = queries.get_campaign(session, campaign[0])
    assert (found.status, found.started_at) == ("running", NOW)


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, False),
        ({"owner": "me"}, True),
        ({"owner_is_alive": dead}, True),
        ({"now": NOW + timedelta(seconds=59)}, False),
        ({"now": NOW + timedelta(seconds=61)}, True),
    ],
    ids=["held", "ours", "owner dead", "not expired", "expired"],
)
def test_who_may_take_a_lease(database: Database, campaign: Started, changes: dict[str, Any], taken: bool) -> None:
    assert claim(database, campaign[1][0])
    assert (claim(database, campaign[1][0], **({"owner": "other"} | changes)) is not None) == taken


def test_a_released_block_may_be_taken(database: Database, campaign: Started) -> None:
    block = campaign[1][0]
    claim(database, block)
    with database.write() as session:
        record.release_block(session, block, "other")  # not the holder: nothing happens
    assert claim(database, block, "other") is None
    with database.write() as session:
        record.release_block(session, block, "me")
    assert claim(database, block, "other")


def test_of_two_threads_exactly_one_claims(database: Database, campaign: Started) -> None:
    for block in campaign[1]:
        winners: list[str] = []
        start = Barrier(2)

        def compete(owner: str, block: int = block, start: Barrier = start, winners: list[str] = winners) -> None:
            start.wait(10)
            if claim(database, block, owner):
                winners.append(owner)

        together(compete, ["one", "two"])
        assert len(winners) == 1


def test_no_step_is_lost_or_recorded_twice_by_threads_that_race(database: Database, campaign: Started) -> None:
    block, tries = campaign[1][0], 20
    claim(database, block)
    conflicts: list[int] = []

    def advance(_name: str) -> None:
        for _ in range(tries):
            with database.read() as session:
                number = queries.get_block(session, block).step
            try:
                step(database, block, number, [0])
            except ConflictError:
                conflicts.append(number)

    together(advance, ["one", "two", "three"])
    with database.read() as session:
        history = queries.block_history(session, block)
        run = queries.block_runs(session, block)[0]
        assert queries.get_block(session, block).step == len(history) == run.steps
    assert [row.step for row in history] == list(range(3 * tries - len(conflicts)))
    assert run.cost == 1.5 * len(history)


def together(work: Any, names: list[str]) -> None:
    threads = [Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_read_modify_write_loses_nothing(database: Database, campaign: Started) -> None:
    def add(_name: str) -> None:
        for _ in range(25):
            with database.write() as session:
                block = session.scalars(select(Block).where(Block.id == campaign[1][0]).with_for_update()).one()  # type: ignore[arg-type]
                block.step += 1

    together(add, ["one", "two", "three"])
    with database.read() as session:
        assert queries.get_block(session, campaign[1][0]).step == 75


def test_a_step_is_recorded_once(database: Database, campaign: Started) -> None:
    block = campaign[1][0]
    claim(database, block)
    step(database, block, 0, [0, 1, 2])
    with pytest.raises(ConflictError, match=r"cannot record step 0 by 'me'.*next step is 1"):
        step(database, block, 0, [0, 1, 2])
    step(database, block, 1, [0, 2])  # run 1 has ended
    with database.read() as session:
        history = queries.block_history(session, block)
        runs = queries.block_runs(session, block)
    assert [(row.step, row.row) for row in history] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2)]
    assert [(run.steps, run.cost, run.status) for run in runs] == [
        (2, 3.0, "running"),
        (1, 1.5, "running"),
        (2, 3.0, "running"),
    ]


def test_only_the_holder_records(database: Database, campaign: Started) -> None:
    block = campaign[1][0]
    with pytest.raises(ConflictError, match="held by nobody"):
        step(database, block, 0, [0])
    claim(database, block)
    claim(database, block, "other", owner_is_alive=dead)
    with pytest.raises(ConflictError, match="held by 'other'"):
        step(database, block, 0, [0])
    with pytest.raises(ConflictError, match="its end by 'me'"):
        finish(database, block)
    with pytest.raises(ConflictError, match="no block 987654"):
        step(database, 987654, 0, [0])


@pytest.mark.parametrize("rows", [[0, 0], [3], [-1]])
def test_a_wrong_row_leaves_nothing_behind(database: Database, campaign: Started, rows: list[int]) -> None:
    block = campaign[1][0]
    claim(database, block)
    with pytest.raises(RecordError, match="rows 0 to 2"):
        step(database, block, 0, rows)
    with database.read() as session:
        assert queries.get_block(session, block).step == 0


def test_a_step_with_a_number_that_is_not_finite_leaves_nothing_behind(database: Database, campaign: Started) -> None:
    block = campaign[1][0]
    claim(database, block)
    with pytest.raises(RecordError, match="record None"):
        step(database, block, 0, [0, 1], outcome={"temperature": math.nan})
    with database.read() as session:
        assert queries.get_block(session, block).step == 0
        assert queries.block_history(session, block) == []


def test_floats_come_back_exactly(database: Database, campaign: Started) -> None:
    stream = random.Random(0)
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 2.0**-1074, *(stream.gauss(0, 1e9) for _ in range(200))]
    claim(database, campaign[1][0])
    step(database, campaign[1][0], 0, [0], outcome={"values": values}, cost=0.1 + 0.2, information=1 / 3)
    with database.read() as session:
        row = next(queries.experiments(session, campaign[0]))
    assert [value.hex() for value in row["outcome"]["values"]] == [value.hex() for value in values]
    assert (row["cost"], row["information"]) == (0.1 + 0.2, 1 / 3)


def test_truths_are_set_once(database: Database, campaign: Started) -> None:
    first = [{"mechanism": "newton", "parameters": {"k": 0.1 * row}} for row in range(3)]
    for truths in (first, [{"mechanism": "other", "parameters": {}}] * 3):
        with database.write() as session:
            record.record_truths(session, campaign[1][0], truths)
    with database.read() as session:
        assert [run.truth for run in queries.campaign_runs(session, campaign[0])] == [*first, None, None]
    with pytest.raises(RecordError, match=r"3 runs.*found 1 truths"), database.write() as session:
        record.record_truths(session, campaign[1][0], first[:1])


def test_a_campaign_ends_with_its_last_block(database: Database, campaign: Started) -> None:
    name, blocks = campaign
    ended = []
    for block in blocks:
        claim(database, block)
        for _ in range(2):  # the second does nothing
            finish(database, block)
            with database.write() as session:
                ended.append(record.finish_campaign(session, name, NOW))
    assert ended == [False, False, True, False]
    assert claim(database, blocks[0]) is None
    with database.read() as session:
        assert queries.progress(session, name) == queries.Progress(5, 5, 0, 0.0, 2, 2)
        assert queries.get_campaign(session, name).finished_at == NOW
        assert queries.get_block(session, blocks[0]).finished_at == NOW


@pytest.mark.parametrize("outcome", ["failed", "cancelled"])
def test_a_stopped_campaign_stops_its_work(database: Database, campaign: Started, outcome: str) -> None:
    name, blocks = campaign
    claim(database, blocks[0])
    finish(database, blocks[0])
    claim(database, blocks[1])
    with database.write() as session:
        if outcome == "failed":
            assert record.fail_campaign(session, name, "the table ends at 40 °C", NOW)
        else:
            assert record.cancel_campaign(session, name, NOW)
    with database.write() as session:
        assert not record.fail_campaign(session, name, "again", NOW)
        assert not record.finish_campaign(session, name, NOW)
    with pytest.raises(ConflictError, match=f"it is {outcome}, held by nobody"):
        step(database, blocks[1], 0, [0])
    with database.read() as session:
        found = queries.get_campaign(session, name)
        assert [run.status for run in queries.campaign_runs(session, name)] == ["finished"] * 3 + [outcome] * 2
    assert (found.status, found.message) == (outcome, "the table ends at 40 °C" if outcome == "failed" else "")


def test_a_paused_campaign_gives_no_block_until_resumed(database: Database, campaign: Started) -> None:
    name, blocks = campaign
    claim(database, blocks[0])
    with database.write() as session:
        assert record.pause_campaign(session, name)
        assert not record.pause_campaign(session, name)
    assert claim(database, blocks[1]) is None
    step(database, blocks[0], 0, [0])  # what was under way is recorded
    with database.write() as session:
        assert record.resume_campaign(session, name)
        assert not record.resume_campaign(session, name)
    assert claim(database, blocks[1])


def test_findings_are_recorded_once(database: Database, campaign: Started) -> None:
    name, _ = campaign
    with database.read() as session:
        runs = [run.id for run in queries.campaign_runs(session, name)]
        assert queries.campaign_finding(session, name) is None
    for text in ("first", "second"):
        with database.write() as session:
            for run in (runs[2], runs[0], None):
                record.save_finding(session, name, run, {"sure": 0.9}, text, NOW)
    with database.read() as session:
        found = queries.findings(session, name)
        whole = queries.campaign_finding(session, name)
    assert [(finding.run_index, finding.text) for finding in found] == [(0, "first"), (2, "first")]
    assert whole == queries.FindingRecord(None, {"sure": 0.9}, "first", NOW)


def test_the_export_is_ordered_by_run_and_step(database: Database, campaign: Started) -> None:
    name, blocks = campaign
    for block, rows in reversed(list(zip(blocks, ([2, 0, 1], [1, 0]), strict=True))):
        claim(database, block)
        for number in range(3):
            step(database, block, number, rows)
    with database.write() as session:
        record.record_truths(session, blocks[1], [{"mechanism": "a", "parameters": {}}] * 2)
    with database.read() as session:
        rows_read = list(queries.experiments(session, name))
        paths = queries.belief_paths(session, name, 4)
    assert [(row["run_index"], row["step"]) for row in rows_read] == [
        (run, step) for run in range(5) for step in range(3)
    ]
    assert [row["truth"] for row in rows_read[::3]] == [None] * 3 + [{"mechanism": "a", "parameters": {}}] * 2
    assert rows_read[0]["created_at"] == NOW
    assert rows_read[0]["design"] == {"time": 1.0}
    assert [(path.step, path.mechanism_probability) for path in paths] == [(n, {"newton": 0.75}) for n in range(3)]


def test_the_list_is_newest_first_with_progress(database: Database, add_campaign: Add) -> None:
    names = [add_campaign(created_at=NOW + timedelta(hours=hour)) for hour in range(3)]
    block = names[1][1][0]
    claim(database, block)
    step(database, block, 0, [0, 1, 2])
    with database.read() as session:
        every = queries.list_campaigns(session)
        assert [line.campaign.id for line in every] == [name for name, _ in reversed(names)]
        assert every[1].progress == queries.progress(session, names[1][0]) == queries.Progress(5, 0, 3, 4.5, 2, 0)
        assert (every[0].domain_name, every[0].domain_title) == ("cooling", "Cooling")
        assert [line.campaign.id for line in queries.list_campaigns(session, status="running")] == [names[1][0]]
        assert [line.campaign.id for line in queries.list_campaigns(session, limit=1, offset=2)] == [names[0][0]]
        assert queries.list_campaigns(session, status="failed") == []


def test_waiting_blocks_are_those_nobody_advances(database: Database, campaign: Started) -> None:
    first, second = campaign[1]

    def waiting(after: float = 0, owner_is_alive: Any = alive) -> list[int]:
        with database.read() as session:
            return scheduling.waiting_blocks(session, NOW + timedelta(seconds=after), owner_is_alive, 30)

    assert waiting() == [first, second]
    with database.write() as session:
        record.mark_sent(session, [first, second], NOW)
        record.mark_sent(session, [], NOW)
    assert waiting(29) == []
    claim(database, first)
    assert (waiting(31), waiting(31, dead), waiting(61)) == ([second], [second, first], [second, first])
    with database.write() as session:
        record.pause_campaign(session, campaign[0])
    assert waiting(61) == []
