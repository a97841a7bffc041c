"""The list of campaigns."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from experiments_db.models import CAMPAIGN_STATUSES
from ui.wording import LIVE, STATUS_SIGNS

Look = Callable[..., AppTest]


def test_an_empty_record_tells_how_to_begin(look: Look) -> None:
    page = look()

    words = "\n".join(entry.value for entry in page.markdown)
    assert page.title[0].value == "Campaigns"
    assert "A **campaign** sends the agent out to answer a question by experiment" in words
    assert [entry.value.split(" --")[0] for entry in page.code] == ["organon campaign run"] * 2 + [
        "organon campaign create"
    ]
    assert page.code[0].value.endswith(" --domain enzyme-kinetics --laboratory replay:puromycin-treated")
    assert not page.dataframe


def test_the_table_says_what_each_campaign_is_newest_first(look: Look, write: Any) -> None:
    write.scheduled(0)
    write.finish(write.running(number=1, steps=4))
    write.running(number=2)

    table = look().dataframe[0].value

    assert list(table["status"]) == ["◐ running", "● finished", "○ scheduled"]
    assert list(table["progress"]) == [0.5, 1.0, 0.0]
    assert list(table["created"]) == ["2026-11-22 12:02", "2026-11-22 12:01", "2026-11-22 12:00"]
    assert dict(table.iloc[0][["domain", "question", "policy", "laboratory", "runs"]]) == {
        "domain": "enzyme-kinetics",
        "question": "How fast does *this* enzyme work?",
        "policy": "expected-information-gain",
        "laboratory": "replay:puromycin-treated",
        "runs": 1,
    }


def test_times_are_in_the_viewers_zone(look: Look, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write.scheduled(0)
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.timezone", property(lambda _: "Asia/Tokyo"))

    page = look()

    assert list(page.dataframe[0].value["created"]) == ["2026-11-22 21:00"]
    assert "Asia/Tokyo" in page.caption[-1].value


def test_two_hundred_campaigns_are_shown_fifty_at_a_time(look: Look, write: Any) -> None:
    ids = [write.scheduled(number) for number in range(200)]
    page = look()
    seen = [list(page.dataframe[0].value["created"])]
    assert page.button("campaigns.newer").disabled

    for _ in range(3):
        page.button("campaigns.older").click().run()
        seen.append(list(page.dataframe[0].value["created"]))

    shown = [moment for moments in seen for moment in moments]
    assert [len(moments) for moments in seen] == [50, 50, 50, 50]
    assert shown == sorted(shown, reverse=True)
    assert len(set(shown)) == len(ids)
    assert page.text[0].value == "151 to 200, newest first"
    assert page.button("campaigns.older").disabled
    page.button("campaigns.newer").click().run()
    assert list(page.dataframe[0].value["created"]) == seen[2]


def test_the_filter_shows_one_status_from_its_first_page(look: Look, write: Any) -> None:
    for number in range(60):
        write.scheduled(number)
    write.fail(write.scheduled(60), "no")
    page = look()
    page.button("campaigns.older").click().run()

    page.selectbox("campaigns.status").select("failed").run()
    assert list(page.dataframe[0].value["status"]) == ["✕ failed"]

    page.selectbox("campaigns.status").select("cancelled").run()
    assert page.info[0].value == "There is no cancelled campaign."
    assert not page.exception


@pytest.mark.parametrize("cells", [[(1, "policy")], [(1, "status")]])
def test_a_cell_opens_the_campaign_that_was_shown(look: Look, write: Any, cells: Any) -> None:
    older = write.scheduled(0)
    write.scheduled(1)
    page = look()
    write.scheduled(2)  # by now the record has more than the table shows

    page.session_state["campaigns.table"] = {"selection": {"rows": [], "columns": [], "cells": cells}}
    page.run()

    assert older in page.query_params["campaign"]
    assert page.metric[0].value == "○ scheduled"


def test_every_status_has_a_sign() -> None:
    assert tuple(STATUS_SIGNS) == CAMPAIGN_STATUSES
    assert set(LIVE) < set(STATUS_SIGNS)
