"""Findings and rows looked for by the database, on each database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from experiments_db import queries, record
from experiments_db.browsing import TABLES, Browse, browse, browse_all, browse_columns
from experiments_db.database import Database
from experiments_db.described import described_tables
from experiments_db.found import FindingFilter, count_findings, find_findings, finding_choices, findings_named
from experiments_db.judgements import judge, judgements
from experiments_db.models import Judgement, Token

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Add = Callable[..., tuple[str, list[int]]]


def run_content(law: str) -> dict[str, Any]:
    return {"mechanism": law, "probability": 0.9}


@pytest.fixture
def found(database: Database, add_campaign: Add) -> list[str]:
    """Two campaigns: of five runs three found Newton's law and two Stefan's; the second has one finding."""
    ids = [add_campaign(NOON + timedelta(hours=hour))[0] for hour in range(2)]
    with database.write() as session:
        runs = queries.campaign_runs(session, ids[0])
        for place, run in enumerate(runs):
            law = "newton" if place < 3 else "stefan"
            record.save_finding(session, ids[0], run.id, run_content(law), f"it is {law}", NOON)
        whole = {"runs": 5, "most_probable": {"newton": 3, "stefan": 2}}
        record.save_finding(session, ids[0], None, whole, "mostly newton", NOON + timedelta(minutes=1))
        one = {"runs": 1, "most_probable": {"stefan": 1}, "run": run_content("stefan")}
        record.save_finding(session, ids[1], None, one, "50% of it", NOON + timedelta(hours=1))
    return ids


def names(database: Database, wanted: FindingFilter, **page: int) -> list[tuple[str, int | None]]:
    with database.read() as session:
        found = find_findings(session, wanted, **page)
        assert page or count_findings(session, wanted) == len(found)
    return [(line.campaign_id, line.run_index) for line in found]


def test_filters_are_the_databases(database: Database, found: list[str]) -> None:
    first, second = found
    own = [(second, None), (first, None)]
    runs = [(first, 4), (first, 3), (first, 2), (first, 1), (first, 0)]
    assert names(database, FindingFilter()) == own + runs
    assert names(database, FindingFilter(of="campaigns")) == own
    assert names(database, FindingFilter(of="runs"), limit=2, offset=1) == [(first, 3), (first, 2)]
    assert names(database, FindingFilter(law="stefan")) == [*own, (first, 4), (first, 3)]
    assert names(database, FindingFilter(law="newton")) == [(first, None), (first, 2), (first, 1), (first, 0)]
    assert names(database, FindingFilter(law='new"ton')) == []
    assert names(database, FindingFilter(words="MOSTLY")) == [(first, None)]
    assert names(database, FindingFilter(words="50%")) == [(second, None)]
    assert names(database, FindingFilter(words="%")) == [(second, None)]
    assert names(database, FindingFilter(words=first)) == [(first, None), *runs]
    assert names(database, FindingFilter(domain="cooling", policy="random", campaign=second)) == [(second, None)]
    assert names(database, FindingFilter(domain="heating")) == []


def test_the_newest_verdict_since_the_finding_holds(database: Database, found: list[str]) -> None:
    first = found[0]

    def say(verdict: str, run: int | None, at: datetime) -> None:
        with database.write() as session:
            said = Judgement(campaign_id=first, run_index=run, verdict=verdict, by="Ada", reason="so", created_at=at)
            judge(session, said)

    def verdicts() -> dict[int | None, str | None]:
        with database.read() as session:
            return {line.run_index: line.verdict for line in find_findings(session, FindingFilter(campaign=first))}

    later = NOON + timedelta(days=1)
    say("accepted", None, later)
    say("rejected", None, later)
    say("noted", None, later)
    say("accepted", 2, later)
    say("rejected", 3, NOON - timedelta(days=1))  # of a finding that was drawn anew since
    assert verdicts() == {None: "rejected", 0: None, 1: None, 2: "accepted", 3: None, 4: None}
    assert names(database, FindingFilter(verdict="accepted")) == [(first, 2)]
    assert names(database, FindingFilter(verdict="judged")) == [(first, None), (first, 2)]
    assert len(names(database, FindingFilter(verdict="not judged"))) == 5
    with database.read() as session:
        assert [line.said for line in findings_named(session, [(first, None), (first, 2), (first, 9)])] == [3, 1]
        assert len(judgements(session, first)) == 5


def test_choices_are_what_is_on_record(database: Database, found: list[str]) -> None:
    with database.read() as session:
        choices = finding_choices(session, "cooling")
    assert (choices.domains, choices.policies, choices.laws) == (["cooling"], ["random"], [])


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_looked_through_newest_first(database: Database, found: list[str], table: str) -> None:
    first, second = found
    count = {"campaigns": 2, "runs": 10, "experiments": 0, "findings": 7}[table]
    with database.read() as session:
        rows = browse(session, Browse(table))
        assert len(rows) == count == len(list(browse_all(session, Browse(table), limit=100)))
        assert all(list(row) == browse_columns(table) for row in rows)
        assert browse(session, Browse(table), limit=3, offset=1) == rows[1:4]
        if rows:
            assert rows[0]["campaign"] == second
            assert {row["campaign"] for row in browse(session, Browse(table, campaign=first))} == {first}
            assert {row["campaign"] for row in browse(session, Browse(table, words=f"{first} cool"))} == {first}
        hour = NOON + timedelta(minutes=30)
        late, early = (browse(session, Browse(table, **{side: hour})) for side in ("since", "until"))
        assert len(late) + len(early) == count
        assert {row["campaign"] for row in late} <= {second}
        for nothing in (Browse(table, domain="x"), Browse(table, policy="x"), Browse(table, status="failed")):
            assert browse(session, nothing) == []


def test_the_schema_is_told_without_the_tokens() -> None:
    tables = {table.name: table for table in described_tables()}
    assert Token.__tablename__ not in tables
    assert all(table.meaning for table in tables.values())
    kinds = {column.name: (column.kind, column.optional, column.refers) for column in tables["experiment"].columns}
    assert {column.kind for table in tables.values() for column in table.columns} == {
        *("moment (UTC)", "whole number", "number", "JSON", "yes or no", "text"),
    }
    assert kinds["created_at"] == ("moment (UTC)", False, "")
    assert kinds["run_id"] == ("whole number", False, "run.id")
    assert kinds["information"] == ("number", True, "")
    assert kinds["design"][0] == "JSON"
    assert kinds["given"][0] == "yes or no"
