"""The event log: chained, append-only by the database itself, in the transaction of what it records."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from sqlalchemy.exc import DBAPIError

from experiments_db import agreement, event_kinds, events, queries, record, scheduling
from experiments_db.canonical import canonical, digest
from experiments_db.chains import EventRecord, check_chain, read_chain
from experiments_db.database import Database
from experiments_db.errors import ConflictError, RecordError
from experiments_db.logged import folded

Started = tuple[str, list[int]]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOTE = event_kinds.kind("note of a test", "anything")


def noted(database: Database, campaign: str, count: int = 3, block: int | None = None) -> list[EventRecord]:
    """A chain with some notes at its end."""
    with database.write() as session:
        for number in range(count):
            events.append(session, campaign, NOTE, {"number": number}, block=block)
    with database.read() as session:
        return read_chain(session, events.chain_of(campaign, block))


def test_canonical_text_is_one_for_one_value() -> None:
    value = {"b": [1, 1.0, 0.1, -0.0, 1e-310, True, None], "a": "µ°\n"}
    text = canonical(value)
    assert text == '{"a":"µ°\\n","b":[1,1.0,0.1,-0.0,1e-310,true,null]}'
    assert canonical(json.loads(text)) == text
    assert digest({"x": 1, "y": 2}) == digest({"y": 2, "x": 1}) != digest({"x": 1.0, "y": 2})
    with pytest.raises(RecordError, match="record None"):
        canonical([float("inf")])
    with pytest.raises(RecordError, match="cannot be recorded"):
        canonical({"when": NOW})


def test_each_event_follows_from_the_one_before(database: Database, campaign: Started) -> None:
    own, block = noted(database, campaign[0]), noted(database, campaign[0], block=1)
    assert [event.kind for event in own] == [event_kinds.CREATED, NOTE, NOTE, NOTE]
    assert [event.index for event in block] == [0, 1, 2]
    assert check_chain(own[0].chain, own) == check_chain(block[0].chain, block) == []
    assert own[1].said == {"number": 0}
    assert own[1].hash == events.next_hash(own[0].hash, 1, NOTE, '{"number":0}')
    assert own[0].hash != events.next_hash(events.first_hash("another"), 0, own[0].kind, own[0].content)


@pytest.mark.parametrize(
    ("tampered", "says"),
    [
        (lambda log: [log[0], replace(log[1], content='{"number":7}'), *log[2:]], "event 1 (note of a test)"),
        (lambda log: [log[0], replace(log[1], kind="step recorded"), *log[2:]], "event 1 (step recorded)"),
        (lambda log: [log[0], *log[2:]], "missing event"),
        (lambda log: [*log[:3], log[2], log[3]], "doubled event"),
        (lambda log: [log[0], replace(log[2], index=1), replace(log[1], index=2), log[3]], "event 1 (note of a test)"),
        (lambda log: [log[0], replace(log[1], campaign_id="ffff"), *log[2:]], "event 1: campaign"),
        (lambda log: log[1:], "missing event"),
    ],
    ids=["content", "kind", "deleted", "doubled", "reordered", "moved", "first deleted"],
)
def test_what_was_tampered_with_is_found(
    database: Database, campaign: Started, tampered: Callable[[list[EventRecord]], list[EventRecord]], says: str
) -> None:
    log = noted(database, campaign[0])
    assert says in [each.field for each in check_chain(log[0].chain, tampered(log))]


def test_an_unknown_kind_is_refused_and_a_name_is_given_once(database: Database, campaign: Started) -> None:
    with (
        pytest.raises(RecordError, match=r"no kind of events 'steps'; there are .*step recorded"),
        database.write() as s,
    ):
        events.append(s, campaign[0], "steps", {})
    with pytest.raises(RecordError, match="already"):
        event_kinds.kind(NOTE, "again")
    unknown = EventRecord("c", 0, "c", "of tomorrow", "{}", "")
    assert folded([unknown]).strange == ["event 0 is of a kind that this Organon does not know: 'of tomorrow'"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET content = '{}'",
        "UPDATE event SET hash = hash",
        "DELETE FROM event",
        'DELETE FROM event WHERE "index" = 0',
    ],
)
def test_the_database_refuses_to_change_or_delete_events(database: Database, campaign: Started, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.connection().exec_driver_sql(statement)
    with database.read() as session:
        assert len(read_chain(session, campaign[0])) == 1


def test_no_other_way_around_the_triggers(database: Database, campaign: Started) -> None:
    """INSERT OR REPLACE deletes without a trigger on SQLite, TRUNCATE without one for rows on PostgreSQL."""
    if database.engine.dialect.name == "sqlite":
        with database.write() as session:
            session.connection().exec_driver_sql(
                'INSERT OR REPLACE INTO event (id, chain, "index", campaign_id, kind, content, hash, created_at) '
                "SELECT id, chain, \"index\", campaign_id, kind, '{}', hash, created_at FROM event"
            )
    else:
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.connection().exec_driver_sql("TRUNCATE event")
    with database.read() as session:
        (event,) = read_chain(session, campaign[0])
    assert event.said["policy"] == "random"


def test_an_event_goes_with_its_transaction(database: Database, campaign: Started) -> None:
    def paused_in_vain() -> None:
        with database.write() as session:
            record.pause_campaign(session, campaign[0], by="me", reason="lunch")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        paused_in_vain()
    with database.read() as session:
        assert [event.kind for event in read_chain(session, campaign[0])] == [event_kinds.CREATED]
    with database.write() as session:
        record.pause_campaign(session, campaign[0], by="me", reason="lunch")
        record.resume_campaign(session, campaign[0], by="you")
    with database.read() as session:
        log = read_chain(session, campaign[0])
    assert [(event.kind, event.said) for event in log[1:]] == [
        (event_kinds.PAUSED, {"by": "me", "reason": "lunch"}),
        (event_kinds.RESUMED, {"by": "you", "reason": ""}),
    ]


def test_threads_that_append_at_once_make_one_chain(database: Database, campaign: Started) -> None:
    """Eight writers wait for each other's locks: nothing is lost, and the chain has no fork."""
    start = Barrier(8)

    def write(number: int) -> None:
        start.wait(10)
        for block in (None, 0):
            with database.write() as session:
                events.append(session, campaign[0], NOTE, {"number": number}, block=block)

    threads = [Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with database.read() as session:
        for chain, count in ((campaign[0], 9), (f"{campaign[0]}/0", 8)):
            log = read_chain(session, chain)
            assert (len(log), check_chain(chain, log)) == (count, [])
            assert sorted(event.said["number"] for event in log if event.kind == NOTE) == list(range(8))


def test_a_place_in_a_chain_is_taken_once(
    database: Database, campaign: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever read an old head gets a conflict, not a fork: the compare-and-set, without the lock."""
    with database.write() as session:
        old = events.head(session, campaign[0])
        events.append(session, campaign[0], NOTE, {"number": 1})
    monkeypatch.setattr(events, "head", lambda _session, _chain: old)
    with pytest.raises(ConflictError, match="recorded by somebody else meanwhile"), database.write() as session:
        events.append(session, campaign[0], NOTE, {"number": 2})
    monkeypatch.undo()
    with database.read() as session:
        assert [event.said.get("number") for event in read_chain(session, campaign[0])] == [None, 1]


def test_a_campaigns_digest_is_over_all_its_heads(database: Database, campaign: Started) -> None:
    def found() -> str:
        with database.read() as session:
            return events.campaign_digest(session, campaign[0])

    seen = [found()]
    for block in (0, 1, None):
        noted(database, campaign[0], 1, block)
        seen.append(found())
    assert len(set(seen)) == 4
    with database.read() as session:
        heads = [events.head(session, chain)[1] for chain in (campaign[0], f"{campaign[0]}/0", f"{campaign[0]}/1")]
    assert seen[-1] == events.digest_of_heads(heads)


def test_a_new_campaign_agrees_with_its_log(database: Database, campaign: Started) -> None:
    with database.read() as session:
        own = agreement.check_campaign(session, queries.get_campaign(session, campaign[0]))
        blocks = [agreement.check_block(session, queries.get_block(session, block), None) for block in campaign[1]]
    assert own.differences == []
    assert [block.differences for block in blocks] == [[], []]


def test_an_imported_campaign_is_never_claimed(database: Database, campaign: Started) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql('UPDATE campaign SET imported = \'{"digest": "0"}\'')
    with database.write() as session:
        claimed = record.claim_block(
            session, campaign[1][0], owner="me", now=NOW, lease_seconds=60, owner_is_alive=lambda _owner: True
        )
    assert claimed is None
    with database.read() as session:
        assert scheduling.waiting_blocks(session, NOW, lambda _owner: False, 0.0) == []
