"""The page of the database: the console with what was kept, and the tables."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from experiments_db.saved_queries import saved_queries
from orchestrator.example_queries import EXAMPLES
from orchestrator.query_answers import Answer
from tests.ui.concluded import concluded
from tests.ui.conftest import Look
from tests.ui.reading import words
from ui.database_chart import MARKS, chart


def ask(page: AppTest, sql: str) -> AppTest:
    page.text_area("database.sql").set_value(sql).run()
    return page.button("database.run").click().run()


def answer(page: AppTest) -> Any:
    """The table of the answer: the one that is no schema."""
    return next(table.value for table in page.dataframe if "column" not in table.value.columns)


def test_an_empty_record_can_be_asked(look: Look) -> None:
    page = look("database")
    assert "The answer will appear here." in words(page)

    ask(page, page.text_area("database.sql").value)

    assert "**0 rows**" in words(page)
    assert list(answer(page).columns) == ["id", "status", "policy", "laboratory", "runs", "budget", "created_at"]


def test_a_question_is_answered_with_chart_and_files(look: Look, write: Any) -> None:
    concluded(write, runs=2)
    page = look("database")

    ask(page, "SELECT run_id, step, cost, information, design FROM experiment ORDER BY run_id, step")

    assert "**8 rows**" in words(page)
    assert list(answer(page)["step"]) == [0, 1, 2, 3] * 2
    assert [entry.proto.label for entry in page.get("download_button")] == ["Download CSV", "Download Parquet"]
    assert len(page.get("plotly_chart")) == 1
    for mark in MARKS:
        page.selectbox("chart.mark").select(mark).run()
        assert not page.exception
    assert "**8 rows**" in words(page)  # the answer stays while the chart is chosen


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("DELETE FROM campaign", "The console only reads"),
        ("SELECT nought FROM campaign", "no such column: nought"),
        ("SELECT * FROM campaigns", "no such table: campaigns. The tables are block, campaign, "),
        ("SELECT sha256 FROM token", "prohibited"),
        ("", "The console only reads"),
    ],
)
def test_what_is_wrong_is_said_at_the_query(look: Look, write: Any, sql: str, says: str) -> None:
    page = ask(look("database"), sql) if sql else look("database")
    if not sql:
        page.text_area("database.sql").set_value("").run()
        page.button("database.run").click().run()
    said = page.error[0].value.replace("\\", "")
    assert says in said
    assert "token" not in said.partition("The tables are")[2]
    assert page.text_area("database.sql").value == sql  # what was typed stays


def test_rows_beyond_the_limit_are_told(look: Look, write: Any) -> None:
    page = look("database")
    page.selectbox("database.rows").select(100).run()

    ask(page, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")

    assert "**100 rows**" in words(page)
    assert "There are more rows" in page.warning[0].value


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_runs(look: Look, write: Any, name: str) -> None:
    concluded(write)
    page = look("database", query=name)
    assert EXAMPLES[name].meaning.replace("\\", "") in words(page)

    page.button("database.run").click().run()

    assert not page.error
    assert "rows**" in words(page) or "1 row**" in words(page)


def test_a_campaigns_experiments_are_one_click_away(look: Look, write: Any) -> None:
    campaign = concluded(write)
    concluded(write, 1)
    page = look("database", campaign=campaign)

    page.button("database.run").click().run()

    assert campaign in page.text_area("database.sql").value
    assert "**4 rows**" in words(page)
    assert list(answer(page)["law"]) == ["michaelis-menten", "michaelis-menten", "hill", "hill"]


def test_a_failed_campaigns_experiments_are_found_too(look: Look, write: Any) -> None:
    campaign = write.running(steps=3)
    write.fail(campaign, "the solver gave up")
    page = look("database", campaign=campaign)

    page.button("database.run").click().run()
    assert "**3 rows**" in words(page)

    page.segmented_control("database.face").set_value("tables").run()
    assert list(page.dataframe[0].value["message"]) == ["the solver gave up"]
    page.selectbox("tables.status").select("finished").run()
    assert "None of the campaigns fits these filters." in page.info[0].value


def test_queries_are_kept_opened_and_deleted(look: Look, write: Any) -> None:
    page = look("database")
    page.text_area("database.sql").set_value("SELECT 7 AS seven").run()
    page.text_input("database.name").set_value("my seven").run()
    page.button("database.keep").click().run()
    assert "my seven" in page.query_params["query"]
    with write.database.read() as session:
        assert [(q.name, q.text, q.by) for q in saved_queries(session)] == [
            ("my seven", "SELECT 7 AS seven", "ORGANON_UI_TOKEN")
        ]

    page = look("database", query="my seven")
    page.button("database.run").click().run()
    assert list(answer(page)["seven"]) == [7]
    page.button("database.delete").click().run()

    with write.database.read() as session:
        assert saved_queries(session) == []
    assert "there is no query 'my seven'" in words(look("database", query="my seven"))


def test_a_viewer_asks_and_keeps_nothing(look: Look, write: Any, token: Callable[[str], None]) -> None:
    token("viewer")
    page = look("database")
    assert page.button("database.keep").disabled
    assert "**1 row**" in words(ask(page, "SELECT 1 AS one"))


def test_the_schema_says_what_a_table_is_and_hides_who_may_speak(look: Look, write: Any) -> None:
    page = look("database")
    assert "token" not in page.selectbox("database.schema").options
    page.selectbox("database.schema").select("judgement").run()
    assert "What a person says of a finding" in words(page)
    columns = next(table.value for table in page.dataframe if "column" in table.value.columns)
    assert list(columns["column"])[:3] == ["id", "campaign_id", "run_index"]
    assert list(columns["names"])[1] == "campaign.id"

    page.button("database.peek").click().run()
    assert page.text_area("database.sql").value == "SELECT *\nFROM judgement\nORDER BY id DESC\nLIMIT 20"


def test_what_is_typed_survives_a_look_at_the_tables(look: Look, write: Any) -> None:
    page = look("database")
    page.text_area("database.sql").set_value("SELECT 8").run()
    page.segmented_control("database.face").set_value("tables").run()
    assert "There are no campaigns on record yet." in page.info[0].value
    page.segmented_control("database.face").set_value("sql").run()
    assert page.text_area("database.sql").value == "SELECT 8"


def test_many_rows_are_turned_over_and_filtered(look: Look, write: Any) -> None:
    for number in range(30):
        concluded(write, number)
    last = concluded(write, 30, title="Another question?", text="it decays")
    page = look("database")
    page.segmented_control("database.face").set_value("tables").run()

    def table() -> Any:
        return page.dataframe[0].value

    assert len(table()) == 31
    page.selectbox("tables.table").select("experiments").run()
    assert (len(table()), table()["campaign"][0], table()["step"][0]) == (50, last, 3)
    assert table()["design"][0] == "substrate = 0.4"
    page.button("tables.older").click().run()
    page.button("tables.older").click().run()
    assert (len(table()), page.text[0].value) == (24, "101 to 124, newest first")
    page.text_input("tables.words").set_value("another QUESTION").run()
    assert list(table()["step"]) == [3, 2, 1, 0]
    page.selectbox("tables.table").select("findings").run()
    page.text_input("tables.words").set_value("decays").run()
    assert list(table()["finding"]) == ["it decays"] * 2
    page.selectbox("tables.table").select("runs").run()
    page.text_input("tables.words").set_value("").run()
    page.text_input("tables.campaign").set_value(last).run()
    assert list(table()["steps"]) == [4]
    assert [entry.proto.label for entry in page.get("download_button")] == ["Download CSV", "Download Parquet"]

    page.session_state["tables.rows.runs"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    page.run()
    assert last in page.query_params["campaign"]


def test_charts_have_the_columns_names_and_no_more_colours_than_can_be_told_apart() -> None:
    rows: list[tuple[Any, ...]] = [(k, k * 0.5, f"law {k % 3}", f"id {k}") for k in range(40)]
    table = Answer(("step", "cost", "law", "id"), rows, False)

    drawn = chart(table, "lines", "step", "cost", "law")
    assert [trace.name for trace in drawn.data] == ["law 0", "law 1", "law 2"]
    assert (drawn.layout.xaxis.title.text, drawn.layout.yaxis.title.text) == ("step", "cost")
    assert chart(table, "histogram", "cost", "", "").layout.yaxis.title.text == "rows"
    assert chart(table, "points", "step", "cost", "cost").data[0].marker.colorbar.title.text == "cost"
    with pytest.raises(Exception, match="40 different values, and 12 colours"):
        chart(table, "bars", "step", "cost", "id")
