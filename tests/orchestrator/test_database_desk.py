"""Queries that are kept, answers as tables, and the files made of them."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from experiments_db import console, queries
from experiments_db.browsing import Browse
from experiments_db.database import Database
from experiments_db.saved_queries import get_query, saved_queries
from orchestrator import downloads
from orchestrator.desk.record import RecordDesk
from orchestrator.downloads import answer_file, browsed_file
from orchestrator.errors import ForbiddenError, RequestError
from orchestrator.example_queries import CAMPAIGN, EXAMPLES, EXPERIMENTS_OF, experiments_of
from orchestrator.query_answers import ask, in_short, tidied
from orchestrator.settings import Settings
from orchestrator.tokens import Holder
from tests.orchestrator.performed import performed

ADA, EVE = Holder("Ada", "operator"), Holder("Eve", "viewer")


def test_whoever_may_only_look_keeps_and_deletes_nothing(settings: Settings, database: Database) -> None:
    RecordDesk(settings, database, ADA).save_query("mine", "SELECT 1")
    with pytest.raises(ForbiddenError):
        RecordDesk(settings, database, EVE).save_query("hers", "SELECT 1")
    with pytest.raises(ForbiddenError):
        RecordDesk(settings, database, EVE).delete_query("mine")
    with database.read() as session:
        assert [query.name for query in saved_queries(session)] == ["mine"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("", "SELECT 1", "printable"),
        ("a\nb", "SELECT 1", "printable"),
        ("x" * 101, "SELECT 1", "1 to 100"),
        (EXPERIMENTS_OF, "SELECT 1", "name of an example"),
        ("mine", "SELECT 2", "already"),
        ("other", "  ", "1 to 100,000 characters"),
        ("other", "x" * 100_001, "1 to 100,000 characters"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    settings: Settings, database: Database, name: str, text: str, says: str
) -> None:
    desk = RecordDesk(settings, database, ADA)
    desk.save_query(" mine ", " SELECT 1 ")
    with pytest.raises(RequestError, match=says):
        desk.save_query(name, text)
    with pytest.raises(RequestError, match="no saved query"):
        desk.delete_query("other")
    with database.read() as session:
        kept = get_query(session, "mine")
    assert kept is not None
    assert (kept.text, kept.by) == ("SELECT 1", "Ada")


def test_the_query_of_a_campaign_holds_its_id_and_nothing_else() -> None:
    assert "run.campaign_id = 'abc123'" in experiments_of("abc123")
    assert "'abcDROP'" in experiments_of("abc'; DROP")
    assert EXAMPLES[EXPERIMENTS_OF].text.count(CAMPAIGN) == 1


def test_the_query_of_a_campaign_has_a_column_for_each_setting_and_outcome(
    settings: Settings, database: Database, costly_file: Path
) -> None:
    campaign = performed(settings, database, domain=str(costly_file), budget=9, runs=1)
    with database.read() as session:
        document = queries.get_domain(session, queries.get_campaign(session, campaign).domain_identity).document
    answer = ask(database.url, experiments_of(campaign, document), max_rows=100)
    assert answer.columns == ("run", "step", "time", "method", "amount", "cost", "information", "law", "created_at")
    assert all(answer.is_number(name) for name in ("time", "amount", "cost"))
    assert set(answer.column("method")) <= {"quick", "careful"}
    strange = {"designs": {"a'; DROP": {}}, "outcomes": {"y": {"size": 3}}}
    assert "experiment.design,\n       experiment.outcome,\n" in experiments_of(campaign, strange)


def test_every_example_answers_on_both_databases(settings: Settings, database: Database, postgres: Database) -> None:
    performed(settings, database)
    for record in (database, postgres):
        for name, example in EXAMPLES.items():
            answer = ask(record.url, example.text, max_rows=100)
            assert answer.columns, name
    days = ask(database.url, EXAMPLES["experiments per day"].text, max_rows=10)
    assert days.rows == [(datetime.now(UTC).strftime("%Y-%m-%d"), 4, 4.0)]
    (compared,) = ask(database.url, EXAMPLES["agents compared"].text, max_rows=10).rows
    assert compared[:3] == ("enzyme-kinetics", "random", 2)
    surprising = ask(database.url, EXAMPLES["most surprising runs"].text, max_rows=10)
    assert [type(value) for value in surprising.column("evidence_against_all_laws")] == [float, float]


def test_answers_are_plain_and_each_column_of_one_kind() -> None:
    columns = ("a", "a", "", "mixed", "day", "blob", "huge", "json", "none", "exact")
    rows: list[tuple[Any, ...]] = [
        (1, 1.5, True, 1, date(2026, 1, 2), b"abc", 2**70, {"x": 1}, None, Decimal("0.5")),
        (2, None, None, "one", None, None, 1, [1], None, None),
    ]
    answer = tidied(console.Table(columns, rows, truncated=True))
    assert answer.columns == ("a", "a (2)", "?", "mixed", "day", "blob", "huge", "json", "none", "exact")
    assert answer.rows[0] == (1, 1.5, True, "1", "2026-01-02", "(3 bytes)", float(2**70), '{"x": 1}', None, 0.5)
    assert answer.rows[1][3] == "one"
    assert [name for name in answer.columns if answer.is_number(name)] == ["a", "a (2)", "huge", "exact"]
    assert (
        in_short({"dose": 0.1234567891, "how": "quick", "level": None})
        == "dose = 0.123457, how = quick, level = missing"
    )
    assert in_short({"a": [1]}) == '{"a": [1]}'


def test_an_answer_comes_back_from_its_files() -> None:
    columns = ("n", "x", "t", "flag", "empty")
    rows: Sequence[tuple[Any, ...]] = [(1, 0.1 + 0.2, 'a "b", c', True, None), (2, None, None, None, None)]
    read = list(csv.reader(io.StringIO(answer_file(columns, rows, ".csv").decode())))
    assert read == [list(columns), ["1", "0.30000000000000004", 'a "b", c', "true", ""], ["2", "", "", "", ""]]
    table = parquet.read_table(io.BytesIO(answer_file(columns, rows, ".parquet")))
    assert [tuple(row.values()) for row in table.to_pylist()] == rows
    assert [str(field.type) for field in table.schema] == ["int64", "double", "string", "bool", "string"]
    assert parquet.read_table(io.BytesIO(answer_file(columns, [], ".parquet"))).num_rows == 0


@pytest.mark.parametrize(("table", "rows"), [("campaigns", 1), ("runs", 2), ("experiments", 4), ("findings", 3)])
def test_filtered_rows_come_back_from_their_files(
    settings: Settings, database: Database, table: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = performed(settings, database)
    wanted = Browse(table, domain="enzyme-kinetics", status="finished")
    text = list(csv.DictReader(io.StringIO(browsed_file(database, wanted, ".csv").decode())))
    read = parquet.read_table(io.BytesIO(browsed_file(database, wanted, ".parquet"))).to_pylist()
    assert len(text) == len(read) == rows
    assert [row["campaign"] for row in read] == [campaign] * rows == [row["campaign"] for row in text]
    if table == "experiments":
        assert json.loads(read[0]["design"]).keys() == {"substrate"}
        assert float(text[0]["cost"]) == read[0]["cost"] == 1.0
        assert read[0]["created_at"].tzinfo is not None
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)
    assert parquet.read_table(io.BytesIO(browsed_file(database, wanted, ".parquet"))).num_rows == 1
