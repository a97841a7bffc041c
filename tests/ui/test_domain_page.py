"""The list of domains, and the page of one."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from domains import catalogue
from domains.loading import find, load_text
from experiments_db import record
from orchestrator import jobs
from orchestrator.desk.domains import check_of, prediction_of
from orchestrator.domain_rows import domain_row
from orchestrator.job_work import work_next
from orchestrator.settings import load_settings
from tests.mixed_domain import MIXED
from tests.ui.conftest import NOON, Look
from tests.ui.reading import words

TEXT = MIXED.replace("GOAL", "learn")


def save(write: Any, text: str = TEXT, minutes: int = 0) -> str:
    row = domain_row(load_text(text))
    row.source, row.created_at = "desk", NOON + timedelta(minutes=minutes)
    with write.database.write() as session:
        record.save_domain(session, row)
    return row.identity


def _shown(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["name"])


def test_the_list_has_the_whole_catalogue_and_says_how_to_begin(look: Look) -> None:
    page = look("domains")

    assert sorted(_shown(page)) == sorted(catalogue.names())
    assert "none of your own yet" in words(page)
    assert page.button("domains.new").label == "New domain"


def test_own_domains_come_first_with_their_newest_title_and_campaigns(look: Look, write: Any) -> None:
    save(write)
    save(write, TEXT.replace("title: Every kind", "title: All kinds"), 1)
    write.scheduled()  # of enzyme-kinetics
    write.scheduled(1)

    page = look("domains")

    table = page.dataframe[0].value
    assert dict(table.iloc[0][["name", "question", "whose", "campaigns"]]) == {
        "name": "mixed",
        "question": "All kinds of design, a constraint and a cost",
        "whose": "my own",
        "campaigns": 0,
    }
    assert list(table.loc[table["name"] == "enzyme-kinetics", "campaigns"]) == [2]
    assert _shown(page).count("mixed") == 1


def test_words_field_and_source_narrow_the_list(look: Look, write: Any) -> None:
    save(write)
    page = look("domains")

    page.text_input("domains.search").set_value("enzyme DRUG").run()
    assert _shown(page) == ["enzyme-inhibition"]
    page.text_input("domains.search").set_value("").run()
    page.selectbox("domains.field").select("ecology").run()
    assert _shown(page) == ["prey-population"]
    page.selectbox("domains.field").select("all").run()
    page.selectbox("domains.source").select("my own").run()
    assert _shown(page) == ["mixed"]
    page.text_input("domains.search").set_value("nothing like it").run()
    assert page.info[0].value.startswith("No domain has all of these words")


def test_selecting_opens_the_domain_that_was_shown(look: Look, write: Any) -> None:
    page = look("domains")
    name = _shown(page)[3]
    page.session_state["domains.table"] = {"selection": {"rows": [3], "columns": [], "cells": []}}
    page.run()

    assert name in page.query_params["domain"]
    assert page.title[0].value


@pytest.mark.parametrize("name", catalogue.names())
def test_every_domain_of_the_catalogue_has_its_page(look: Look, name: str) -> None:
    domain = find(name)

    page = look("domains", domain=name)

    assert not page.error
    headings = [heading.value for heading in page.subheader]
    assert headings[:2] == ["What is wanted", "What can be set"]
    assert "What is unknown, before any experiment" in headings
    assert list(page.dataframe[0].value["design"]) == [design.name for design in domain.designs]
    assert page.latex
    assert page.code[-1].value == domain.text.strip()


def test_a_page_shows_laws_as_mathematics_and_priors_drawn(look: Look) -> None:
    page = look("domains", domain="enzyme-inhibition")

    assert r"\mathit{rate} &= \frac{v \cdot \mathit{substrate}}" in "\n".join(block.value for block in page.latex)
    figures = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    titles = [figure["layout"]["xaxis"]["title"]["text"] for figure in figures]
    assert titles == ["vmax (mM/min)", "km (mM)", "ki (mM)", "alpha"]
    assert "LogNormal(0, 0.8); median 1 mM, nine times in ten 0.268 to 3.73" in words(page)
    assert "**competitive**, before any experiment 50 % probable" in words(page)
    assert "only in mixed" in words(page)


def test_an_unknown_domain_is_said_in_words(look: Look) -> None:
    page = look("domains", domain="no-such [thing]")

    assert page.error[0].value.startswith("There is no domain 'no-such \\[thing\\]'")


def test_a_domain_that_cannot_be_read_any_more_shows_its_text_and_why(look: Look, write: Any) -> None:
    row = domain_row(load_text(TEXT))
    row.text = TEXT.replace("budget: 7", "budgett: 7")
    with write.database.write() as session:
        record.save_domain(session, row)

    page = look("domains", domain="mixed")

    assert "did you mean 'budget'" in page.error[0].value
    assert "budgett" in page.code[-1].value


def test_versions_are_listed_and_compared_in_words_and_lines(look: Look, write: Any) -> None:
    older = save(write)
    newer = save(write, TEXT.replace("budget: 7", "budget: 9"), 1)

    page = look("domains", domain="mixed")

    assert "- budget: 7 → 9" in words(page)
    assert "-budget: 7\n+budget: 9" in page.code[0].value
    links = [link.proto.label for link in page.get("page_link")]
    assert any(label.startswith(newer[:8]) and label.endswith("shown here\\)") for label in links)
    assert not page.warning

    old = look("domains", domain="mixed", version=older[:12])
    assert old.warning[0].value.startswith("This is an older version")
    assert old.button("domain.campaign").disabled


def test_campaigns_so_far_are_linked(look: Look, write: Any) -> None:
    campaign = write.scheduled()

    page = look("domains", domain="enzyme-kinetics")

    links = [link.proto for link in page.get("page_link") if link.proto.page == "campaigns"]
    assert [link.query_string for link in links] == [f"campaign={campaign}"]
    assert "· 1 run · version" in links[0].label  # of another version than the catalogue has now


def test_predictions_are_asked_for_followed_and_drawn(look: Look, write: Any) -> None:
    save(write)
    page = look("domains", domain="mixed")
    page.selectbox("domain.axis").select("strain").run()

    page.button("domain.prediction.strain.ask").click().run()
    assert "It waits for a worker" in page.get("progress")[0].proto.text
    assert work_next(write.database, load_settings(), lambda: None)[0] == "finished"
    page.run()

    figures = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    level, alive = figures[-2:]
    assert level["layout"]["xaxis"]["title"]["text"] == "strain"
    assert level["layout"]["yaxis"]["title"]["text"] == "level"
    assert alive["layout"]["yaxis"]["title"]["text"] == "share of alive"
    assert [note["text"] for note in level["layout"]["annotations"]] == ["additive", "product"]
    assert "held in the middle of their ranges: dose = 1, count = 4, heat = 20" in words(page)


def test_a_failed_job_says_why_and_is_tried_again(look: Look, write: Any) -> None:
    save(write)
    domain = load_text(TEXT)
    kind, arguments = prediction_of(domain, "dose")
    job = jobs.ask(load_settings(), write.database, kind, arguments, "Ada")
    write.fail_jobs("no law [here]")

    page = look("domains", domain="mixed")

    assert page.error[0].value == "It failed at 2026-11-22 12\\:00\\: no law \\[here\\]"
    page.button(f"job.retry.{job.id}").click().run()
    assert page.get("progress")


def test_the_check_is_shown_with_its_remarks(look: Look, write: Any) -> None:
    save(write)
    jobs.ask(load_settings(), write.database, *check_of(load_text(TEXT)), by="Ada")
    work_next(write.database, load_settings(), lambda: None)

    page = look("domains", domain="mixed")

    assert page.success[0].value == "The domain is in order."
    assert "additive or product" in list(page.dataframe[1].value["laws"])


def test_a_viewer_cannot_ask_for_jobs(look: Look, write: Any, token: Callable[[str], None]) -> None:
    token("viewer")

    page = look("domains", domain="death-process")

    assert page.button("domain.check.ask").disabled
    assert page.button("domain.prediction.time.ask").disabled
    assert page.button("domain.campaign").disabled
    assert "an operator can" in words(page)
