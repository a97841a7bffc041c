"""Findings on the page: all of them, one, several side by side; judged by those who may."""

from collections.abc import Callable
from typing import Any

import pytest

from experiments_db.judgements import judgements
from tests.ui.concluded import concluded
from tests.ui.conftest import FINDING, Look
from tests.ui.reading import words


def test_an_empty_record_says_what_findings_are_and_where_they_come_from(look: Look) -> None:
    page = look("findings")

    assert "A **finding** is what a run or a campaign concludes" in words(page)
    assert not page.dataframe


def test_a_campaign_that_failed_has_no_finding(look: Look, write: Any) -> None:
    failed = write.running(number=0)
    write.fail(failed, "no")

    assert "A **finding** is what" in words(look("findings"))
    page = look("findings", finding=failed)

    assert f"There is no finding of campaign {failed}" in words(page)


def test_the_list_shows_the_findings_of_campaigns_newest_first(look: Look, write: Any) -> None:
    first = concluded(write, 0)
    second = concluded(write, 1, runs=2, law="michaelis-menten")

    table = look("findings").dataframe[0].value

    assert list(table["finding"]) == [second, first]
    assert list(table["law"]) == ["michaelis-menten in 2", "hill"]
    assert list(table["verdict"]) == ["○ not judged"] * 2
    assert table["probability"][1] == 0.65


def test_filters_choose_among_findings(look: Look, write: Any) -> None:
    first = concluded(write, 0, title="Enzyme?")
    second = concluded(write, 1, runs=2, law="michaelis-menten", text="it saturates", title="Decay?")
    page = look("findings")

    def shown() -> list[str]:
        return list(page.dataframe[0].value["finding"]) if page.dataframe else []

    page.text_input("findings.words").set_value("SATURATES").run()
    assert shown() == [second]
    page.text_input("findings.words").set_value("enzyme?").run()
    assert shown() == [first]
    page.text_input("findings.words").set_value("100%_").run()
    assert "No finding fits" in page.info[0].value
    page.text_input("findings.words").set_value("").run()
    page.selectbox("findings.domain").select("enzyme-kinetics").run()
    page.selectbox("findings.law").select("hill").run()
    assert shown() == [first]
    page.selectbox("findings.law").select("").run()
    page.selectbox("findings.of").select("runs").run()
    assert shown() == [f"{second}.1", f"{second}.0", f"{first}.0"]
    page.selectbox("findings.verdict").select("accepted").run()
    assert shown() == []


def test_many_findings_are_turned_over_page_by_page(look: Look, write: Any) -> None:
    campaigns = [concluded(write, number) for number in range(60)]
    page = look("findings")
    assert list(page.dataframe[0].value["finding"]) == campaigns[:9:-1]

    page.button("findings.older").click().run()

    assert list(page.dataframe[0].value["finding"]) == campaigns[9::-1]
    assert page.text[0].value == "51 to 60, newest first"
    page.selectbox("findings.policy").select("expected-information-gain").run()  # a filter begins at the first page
    assert list(page.dataframe[0].value["finding"]) == campaigns[:9:-1]


def test_one_finding_is_told_in_words_with_figures(look: Look, write: Any) -> None:
    campaign = concluded(write)

    page = look("findings", finding=f"{campaign}.0")

    said = words(page)
    assert page.title[0].value == "How fast does \\*this\\* enzyme work?"
    assert "After 4 experiments, the law hill leads without being established: its probability is 65.0 %." in said
    assert "vmax (the vmax) = 213 (90 %: 195 to 231) counts/min²." in said
    assert "km (the km) = not bounded by the data (in ppm)." in said
    assert "The rival law michaelis-menten keeps a probability of 35.0 % (1 in 2.9)." in said
    assert "over the last 3 experiments the odds for hill grew 1.4-fold with each" in said
    assert "were not done" not in said
    assert "not known" not in said
    assert page.code[0].value == FINDING
    assert len(page.get("plotly_chart")) == 2
    assert [entry.proto.label for entry in page.get("download_button")] == ["HTML", "PDF", "JSON"]


def test_a_finding_of_which_little_is_recorded_is_shown_all_the_same(look: Look, write: Any) -> None:
    campaign = write.running(steps=4)
    write.finish(campaign)

    page = look("findings", finding=campaign)

    assert "the record says no more than the text below" in words(page)
    assert page.code[0].value == FINDING


def test_an_operator_judges_and_the_verdict_holds(look: Look, write: Any) -> None:
    campaign = concluded(write)
    page = look("findings", finding=campaign)
    assert "Nobody has judged this finding yet." in words(page)

    page.text_area(f"finding.{campaign}.0.reason").set_value("repeated <b>by hand</b>").run()
    page.text_input("finding.by").set_value("Grace").run()
    page.button(f"finding.{campaign}.0.judge").click().run()

    assert not page.exception
    assert page.success[0].value.startswith("Accepted by Grace \\(")
    assert page.success[0].value.endswith("\\)\\: repeated \\<b\\>by hand\\</b\\>")
    assert page.text_area(f"finding.{campaign}.1.reason").value == ""  # a new form: nothing is sent twice
    with write.database.read() as session:
        (said,) = judgements(session, campaign)
    assert (said.verdict, said.by.split(" (")[0]) == ("accepted", "Grace")
    assert said.by.endswith(")"), "whose token it was stands beside the name"
    assert list(look("findings").dataframe[0].value["verdict"]) == ["✓ accepted"]


def test_a_finding_that_was_drawn_anew_is_not_judged_unread(look: Look, write: Any) -> None:
    campaign = concluded(write)
    page = look("findings", finding=campaign)
    page.text_area(f"finding.{campaign}.0.reason").set_value("as expected").run()
    with write.database.write() as session:
        later = "UPDATE finding SET created_at = datetime(created_at, '+1 hour') || '.000000' WHERE run_id IS NULL"
        session.connection().exec_driver_sql(later)

    page.button(f"finding.{campaign}.0.judge").click().run()

    assert "drawn anew while you looked at it" in page.error[0].value
    with write.database.read() as session:
        assert judgements(session, campaign) == []
    page.button(f"finding.{campaign}.0.judge").click().run()
    assert not page.error, "what is shown now has been seen"


def test_a_judgement_without_reason_is_refused_in_words(look: Look, write: Any) -> None:
    campaign = concluded(write)
    page = look("findings", finding=campaign)
    page.radio(f"finding.{campaign}.0.verdict").set_value("rejected").run()

    page.button(f"finding.{campaign}.0.judge").click().run()

    assert "a judgement needs its reason" in page.error[0].value
    assert page.radio(f"finding.{campaign}.0.verdict").value == "rejected"


def test_a_viewer_reads_and_does_not_judge(look: Look, write: Any, token: Callable[[str], None]) -> None:
    campaign = concluded(write)
    token("viewer")

    page = look("findings", finding=campaign)

    assert page.button(f"finding.{campaign}.0.judge").disabled
    assert page.text_area(f"finding.{campaign}.0.reason").disabled
    assert "You may look and not judge" in words(page)


def test_findings_stand_side_by_side(look: Look, write: Any) -> None:
    first = concluded(write, 0)
    second = concluded(write, 1, vmax=180.0, law="michaelis-menten")

    page = look("findings", compare=f"{first},{second}.0")

    table = page.dataframe[0].value
    assert list(table["finding"]) == [first, f"{second}.0"]
    assert list(table["law"]) == ["hill", "michaelis-menten"]
    assert list(table["vmax (counts/min²)"]) == [
        "213 (90 %: 195 to 231) counts/min²",
        "180 (90 %: 162 to 198) counts/min²",
    ]
    assert len(page.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("{}.7,{}", "Not there (any more): {}.7."),
        ("nonsense", "'nonsense' names no finding"),
        ("aaa," * 101, "101 findings are chosen, and 100 can be looked at together"),
        ("zzz", "'zzz' names no finding"),
        ("0123456789abcdef,", "There is no campaign '0123456789abcdef'"),
    ],
)
def test_what_cannot_be_compared_is_said(look: Look, write: Any, asked: str, says: str) -> None:
    campaign = concluded(write)

    page = look("findings", compare=asked.replace("{}", campaign))

    assert says.replace("{}", campaign) in words(page)


def test_selecting_opens_a_finding_or_sets_several_side_by_side(look: Look, write: Any) -> None:
    first, second = concluded(write, 0), concluded(write, 1)
    page = look("findings")
    concluded(write, 2)  # by now the record has more than the table shows

    page.session_state["findings.table"] = {"selection": {"rows": [], "columns": [], "cells": [(1, "law")]}}
    page.run()
    assert first in page.query_params["finding"]

    page = look("findings")
    page.session_state["findings.table"] = {"selection": {"rows": [1, 2], "columns": [], "cells": []}}
    page.run()
    page.button("findings.compare").click().run()
    assert f"{second},{first}" in page.query_params["compare"]
