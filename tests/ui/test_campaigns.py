"""The list of campaigns."""

from time import monotonic
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from experiments_db import queries
from experiments_db.desk_models import JOB_STATUSES
from experiments_db.models import CAMPAIGN_STATUSES
from tests.ui.conftest import Look
from ui.wording import SIGNS


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


def _tick(page: AppTest, *rows: int) -> None:
    page.session_state["campaigns.table"] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    page.run()


def _statuses(write: Any) -> list[str]:
    with write.database.read() as session:
        return [entry.campaign.status for entry in queries.list_campaigns(session)]


def test_statuses_are_counted_and_narrowed_by_words_domain_and_agent(look: Look, write: Any) -> None:
    for number in range(3):
        write.scheduled(number)
    write.fail(write.scheduled(3, title="Does it bind?"), "no")
    page = look()
    assert page.selectbox("campaigns.status").options[:3] == ["all (4)", "○ scheduled (3)", "◐ running (0)"]
    assert page.selectbox("campaigns.domain").options == ["all", "enzyme-kinetics"]
    assert page.selectbox("campaigns.policy").options == ["all", "expected-information-gain"]

    page.text_input("campaigns.words").set_value("BIND puromycin").run()

    assert list(page.dataframe[0].value["status"]) == ["✕ failed"]
    assert page.selectbox("campaigns.status").options[:2] == ["all (1)", "○ scheduled (0)"]
    assert "BIND puromycin" in page.query_params["words"]
    page.text_input("campaigns.words").set_value("100%").run()
    assert page.info[0].value == "No campaign fits what you look for."


def test_an_address_says_what_to_look_for(look: Look, write: Any) -> None:
    write.scheduled(0)
    write.fail(write.scheduled(1), "no")
    page = look(status="failed", domain="enzyme-kinetics")
    assert list(page.dataframe[0].value["status"]) == ["✕ failed"]
    assert look(domain="nosuch").info[0].value == "No campaign fits what you look for."


def test_selected_campaigns_are_paused_and_resumed(look: Look, write: Any) -> None:
    for number in range(3):
        write.running(number=number)
    page = look()

    _tick(page, 0, 2)
    page.button("campaigns.pause").click().run()

    assert page.success[0].value == "2 campaigns paused."
    assert _statuses(write) == ["paused", "running", "paused"]
    page.session_state["campaigns.table.1"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    page.run()
    assert page.button("campaigns.pause").disabled
    page.button("campaigns.resume").click().run()
    assert _statuses(write) == ["running", "running", "paused"]


def test_cancelling_is_confirmed_and_meant_for_those_that_were_shown(look: Look, write: Any) -> None:
    chosen = write.running(number=0)
    page = look()
    _tick(page, 0)
    write.running(number=1)  # the list stands still while something is selected
    page.button("campaigns.cancel").click().run()
    assert f"`{chosen}`" in page.warning[0].value
    assert _statuses(write) == ["running", "running"]

    page.button("campaigns.cancel.no").click().run()
    assert not page.warning
    page.button("campaigns.cancel").click().run()
    page.button("campaigns.cancel.yes").click().run()

    assert _statuses(write) == ["running", "cancelled"]
    assert len(page.dataframe[0].value) == 2


def test_selected_campaigns_are_cloned_and_what_cannot_be_is_said(look: Look, write: Any) -> None:
    write.real(budget=1)
    write.scheduled(number=-525600)  # its document is no domain that can be run
    page = look()

    _tick(page, 0, 1)
    page.button("campaigns.clone").click().run()

    assert page.success[0].value == "1 campaign cloned."
    assert page.error
    assert not page.exception
    assert sorted(_statuses(write)) == ["finished", "scheduled", "scheduled"]


def test_who_may_only_look_acts_on_nothing(look: Look, write: Any, token: Any) -> None:
    write.running()
    token("viewer")
    page = look()
    _tick(page, 0)
    assert all(page.button(f"campaigns.{name}").disabled for name in ("pause", "resume", "clone", "cancel"))


def test_two_thousand_campaigns_are_counted_found_and_paged_at_once(look: Look, write: Any) -> None:
    write.many(2000)
    page = look()
    began = monotonic()
    page.run()
    assert monotonic() - began < 2.0
    assert page.selectbox("campaigns.status").options[0] == "all (2,000)"
    assert len(page.dataframe[0].value) == 50

    page.text_input("campaigns.words").set_value("question 1234").run()
    assert len(page.dataframe[0].value) == 1


def test_every_status_has_a_sign() -> None:
    assert {*CAMPAIGN_STATUSES, *JOB_STATUSES} == set(SIGNS)
