"""Suggestions, revisions and tokens on each database: taken once, answered once, rested on if nothing came in."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from experiments_db import queries, record, revisions, scheduling, schema, suggestions, tokens
from experiments_db.agreement import check_block, check_campaign
from experiments_db.chains import read_chain
from experiments_db.database import Database, connect
from experiments_db.errors import ConflictError, NotFoundError
from experiments_db.models import Campaign, Domain, Revision, Token
from experiments_db.suggestion_log import ANSWERED, RECORDED
from experiments_db.suggestions import NewSuggestion

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ME = "host/1/1.0"


@pytest.fixture
def block(database: Database) -> int:
    """A block of one run, claimed by us."""
    with database.write() as session:
        record.save_domain(session, Domain(identity="d" * 64, name="cooling"))
        campaign = Campaign(domain_identity="d" * 64, policy="random", laboratory="manual", runs=1, budget=10.0)
        (made,) = record.create_campaign(session, campaign, [1])
        record.claim_block(session, made, owner=ME, now=NOW, lease_seconds=60, owner_is_alive=lambda _: True)
    return made


def add(database: Database, block: int, count: int, *, first: int = 0, owner: str = ME) -> list[int]:
    new = [
        NewSuggestion(number, known=0, revised=0, design={"x": number}, candidates=[], decision_ms=1.0)
        for number in range(first, first + count)
    ]
    with database.write() as session:
        (run,) = queries.block_runs(session, block)
        suggestions.add_suggestions(
            session,
            block,
            run.id,
            new,
            owner=owner,
            status="open",
            now=NOW,
            due_at=NOW + timedelta(1),
            lease_seconds=60,
        )
        return [entry.id for entry in suggestions.suggestions(session, block_id=block)][-count:]


def campaign_of(database: Database, block: int) -> str:
    with database.read() as session:
        return queries.get_block(session, block).campaign_id


def test_many_that_take_at_once_never_take_the_same(database: Database, block: int) -> None:
    made = add(database, block, 40)
    campaign = campaign_of(database, block)
    taken: list[int] = []
    begin = threading.Barrier(4)

    def take(name: str) -> None:
        begin.wait()
        found: int | None = 0
        while found is not None:
            with database.write() as session:
                found = suggestions.take_suggestion(session, campaign, name, NOW)
            taken.extend([] if found is None else [found])

    threads = [threading.Thread(target=take, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begin = threading.Barrier(1)
    take("the one who comes last")  # and finds what all the others held for each other at the same moment
    assert sorted(taken) == made


def test_one_answer_wins(database: Database, block: int) -> None:
    (entry,) = add(database, block, 1)
    with database.write() as session:
        assert suggestions.move(session, entry, ("open",), ANSWERED, status="answered", answered_by="a")
        assert not suggestions.move(session, entry, ("open",), ANSWERED, status="answered", answered_by="b")
    with database.read() as session:
        assert suggestions.get_suggestion(session, entry).answered_by == "a"
        with pytest.raises(NotFoundError, match="There is no suggestion 999"):
            suggestions.get_suggestion(session, 999)


def test_a_number_is_given_once_and_only_by_who_holds_the_block(database: Database, block: int) -> None:
    add(database, block, 1)
    with pytest.raises(ConflictError, match=r"is not held by 'host/2/1\.0' any more"):
        add(database, block, 1, first=1, owner="host/2/1.0")
    with pytest.raises(Exception, match=r"(?i)unique"):
        add(database, block, 1)


def test_a_block_rests_only_if_nothing_came_in_since_it_was_looked_at(database: Database, block: int) -> None:
    def waiting() -> list[int]:
        with database.read() as session:
            return scheduling.waiting_blocks(session, NOW, lambda _: True, 0.0)

    with database.write() as session:
        assert suggestions.rest_block(session, block, ME, 0)
    assert waiting() == []
    with database.write() as session:
        suggestions.wake_block(session, block)
    assert waiting() == [block]
    with database.write() as session:
        record.claim_block(session, block, owner=ME, now=NOW, lease_seconds=60, owner_is_alive=lambda _: True)
        assert not suggestions.is_settled(session, block, 0)
        assert not suggestions.rest_block(session, block, ME, 0), "one wake has not been seen"
    assert waiting() == [block]


def test_what_is_due(database: Database, block: int) -> None:
    add(database, block, 2)
    with database.read() as session:
        campaign = queries.get_block(session, block).campaign_id
        assert suggestions.counts(session, campaign, NOW) == {"proposed": 0, "open": 2, "overdue": 0}
        assert suggestions.counts(session, campaign, NOW + timedelta(2))["overdue"] == 2
        assert suggestions.waiting_campaigns(session) == [campaign]
    with database.write() as session:
        record.cancel_campaign(session, campaign, NOW)
        assert suggestions.counts(session, campaign, NOW + timedelta(2))["overdue"] == 0
        assert suggestions.waiting_campaigns(session) == []


def finished(database: Database, block: int) -> int:
    """A suggestion that became the one experiment of a finished campaign with findings."""
    (entry,) = add(database, block, 1)
    new = record.NewExperiment(0, {"x": 0}, {"y": 1.0}, 1.0, None, 1.0, {}, [])
    with database.write() as session:
        record.record_step(session, block, owner=ME, step=0, experiments=[new], now=NOW, lease_seconds=60)
        suggestions.change(session, entry, RECORDED, status="recorded", step=0, outcome={"y": 1.0})
        campaign, (run,) = queries.get_block(session, block).campaign_id, queries.block_runs(session, block)
        record.save_finding(session, campaign, run.id, {"n": 1}, "the run's", NOW)
        record.finish_block(session, block, ME, NOW)
        record.finish_campaign(session, campaign, NOW)
        record.save_finding(session, campaign, None, {"n": 1}, "the campaign's", NOW)
    return entry


def revise(database: Database, block: int, entry: int, outcome: float | None) -> int:
    with database.write() as session:
        new = Revision(
            suggestion_id=entry,
            kind="corrected",
            before={},
            design={"x": 0},
            outcome={"y": outcome},
            by="Ada",
            reason="digits",
            created_at=NOW,
            superseded=revisions.reopen(session, block),
        )
        return revisions.add_revision(session, new)


def test_a_revision_opens_what_was_finished_and_keeps_its_findings(database: Database, block: int) -> None:
    entry = finished(database, block)
    revise(database, block, entry, 10.0)
    with database.read() as session:
        campaign = queries.get_campaign(session, campaign_of(database, block))
        assert (campaign.status, campaign.finished_at) == ("running", None)
        assert queries.get_block(session, block).status == "running"
        assert queries.campaign_finding(session, campaign.id) is None
        (revised,) = revisions.revisions(session, block_id=block)
        assert [kept["text"] for kept in revised.superseded] == ["the run's", "the campaign's"]
        assert revised.step == 0
        assert queries.block_history(session, block)[0].outcome == {"y": 1.0}, "what was recorded stays"


def test_what_holds_is_what_was_said_last(database: Database, block: int) -> None:
    entry = finished(database, block)
    first = revise(database, block, entry, 10.0)
    revise(database, block, entry, None)
    with database.write() as session:
        assert [row.outcome for row in revisions.effective_history(session, block)] == [{"y": None}]
        assert [row.outcome for row in revisions.effective_history(session, block, first)] == [{"y": 10.0}]
        assert [row.outcome for row in revisions.effective_history(session, block, 0)] == [{"y": 1.0}]
        assert revisions.applied_revisions(session, block) == 0
        revisions.mark_applied(session, block, first, known=1, belief={"p": 1}, cost=1.0, now=NOW)
        assert revisions.applied_revisions(session, block) == 1
        standing = revisions.standing_results(session, campaign_of(database, block))
        assert standing[0, 0] == {"result": "corrected", "design": {"x": 0}, "outcome": {"y": None}, "belief": {"p": 1}}


def test_one_revision_applied_after_another_leaves_it_in_place(database: Database, block: int) -> None:
    """Of two results, the later one corrected first in the record: folding for the other keeps its correction."""
    entries = add(database, block, 2)
    with database.write() as session:
        for step, entry in enumerate(entries):
            new = record.NewExperiment(0, {"x": step}, {"y": 1.0}, 1.0, None, 1.0, {}, [])
            record.record_step(session, block, owner=ME, step=step, experiments=[new], now=NOW, lease_seconds=60)
            suggestions.change(session, entry, RECORDED, status="recorded", step=step, outcome={"y": 1.0})
    late, early = (revise(database, block, entry, value) for entry, value in ((entries[1], 10.0), (entries[0], 20.0)))
    with database.write() as session:
        revisions.mark_applied(session, block, early, known=2, belief={}, cost=2.0, now=NOW)
        held = revisions.effective_history(session, block, late)
    assert [row.outcome for row in held] == [{"y": 20.0}, {"y": 10.0}]


def differences(database: Database, block: int) -> list[tuple[str, str]]:
    """Where the tables are not as the log says."""
    with database.read() as session:
        campaign = queries.get_campaign(session, queries.get_block(session, block).campaign_id)
        own = check_campaign(session, campaign)
        of_block = check_block(session, queries.get_block(session, block), own.logged.older)
    return [(each.place, each.field) for each in (*own.differences, *of_block.differences)]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ("UPDATE suggestion SET answered_by = 'Eve'", ("suggestion 0", "answered_by")),
        ("UPDATE suggestion SET outcome = '{\"y\": 2.0}'", ("suggestion 0", "outcome")),
        ("UPDATE revision SET reason = 'none'", ("revision 0", "reason")),
        ("UPDATE revision SET superseded = '[]'", ("revision 0", "superseded")),
        ("DELETE FROM revision", ("revision 0", "row")),
    ],
)
def test_the_log_says_what_became_of_suggestions(
    database: Database, block: int, change: str, wanted: tuple[str, str]
) -> None:
    entry = finished(database, block)
    revise(database, block, entry, 10.0)
    assert differences(database, block) == []
    with database.write() as session:
        kinds = [event.kind for event in read_chain(session, f"{queries.get_block(session, block).campaign_id}/0")]
        session.connection().exec_driver_sql(change)
    assert kinds == [
        "suggestions made", "step recorded", "suggestion recorded", "finding recorded", "block ended",
        "block reopened", "result corrected",
    ]  # fmt: skip
    assert differences(database, block) == [wanted]


def test_tokens(database: Database) -> None:
    with database.write() as session:
        tokens.save_token(session, Token(id="ab", name="bench", role="viewer", sha256="0" * 64, created_at=NOW))
        assert tokens.revoke_token(session, "ab", NOW)
        assert not tokens.revoke_token(session, "ab", NOW)
        assert not tokens.revoke_token(session, "cd", NOW)
        found = tokens.get_token(session, "ab")
        assert found is not None
        assert found.revoked_at == NOW
        assert tokens.get_token(session, "cd") is None


def _down_and_up(url: str, engine_url: str, add_block: Callable[[Database], None]) -> None:
    """What earlier versions know survives going back to revision 0003 and coming again."""
    from alembic import command
    from alembic.config import Config

    database = connect(url)
    add_block(database)
    database.close()
    engine = create_engine(engine_url)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
        command.downgrade(config, "0003")
    engine.dispose()
    again = connect(url)
    with again.read() as session:
        (line,) = queries.list_campaigns(session)
        assert line.progress.blocks == 1
        assert queries.get_block(session, 1).waiting is False
        assert suggestions.suggestions(session, campaign_id=line.campaign.id) == []
    again.close()


def _one_block(database: Database) -> None:
    with database.write() as session:
        record.save_domain(session, Domain(identity="d" * 64, name="cooling"))
        campaign = Campaign(domain_identity="d" * 64, policy="random", laboratory="manual", runs=1, budget=10.0)
        (made,) = record.create_campaign(session, campaign, [1])
        record.claim_block(session, made, owner=ME, now=NOW, lease_seconds=60, owner_is_alive=lambda _: True)
    add(database, made, 1)


def test_downgrade_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.db"
    _down_and_up(url, url, _one_block)


def test_downgrade_on_postgresql(empty_postgres_url: str) -> None:
    _down_and_up(empty_postgres_url, empty_postgres_url.replace("postgresql://", "postgresql+psycopg://"), _one_block)


def test_a_block_of_several_runs_keeps_all_its_experiments(database: Database, campaign: tuple[str, list[int]]) -> None:
    block = campaign[1][0]
    rows = [record.NewExperiment(row, {"x": row}, {"y": 1.0}, 1.0, None, 1.0, {}, []) for row in range(3)]
    with database.write() as session:
        record.claim_block(session, block, owner=ME, now=NOW, lease_seconds=60, owner_is_alive=lambda _: True)
        record.record_step(session, block, owner=ME, step=0, experiments=rows, now=NOW, lease_seconds=60)
        assert revisions.effective_history(session, block) == queries.block_history(session, block)
        assert len(revisions.effective_history(session, block)) == 3
