"""The page of a campaign whose experiments people answer."""

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from orchestrator.settings import load_settings
from tests.orchestrator.at_the_bench import Campaign, create

Look = Callable[..., AppTest]


def waiting(write: Any, **values: Any) -> Campaign:
    campaign = create(load_settings(), write.database, budget=2, **values)
    campaign.advance()
    return campaign


def _shown(page: AppTest) -> str:
    return page.selectbox(key="waiting.id").options[0]


def test_a_result_is_told_on_the_page(look: Look, write: Any) -> None:
    campaign = waiting(write)
    (entry,) = campaign.waiting()
    page = look(campaign=campaign.id)
    assert "(to be run)" in _shown(page)
    page.text_input(key="waiting.by").set_value("Ada")
    page.number_input(key=f"waiting.{entry['id']}.velocity").set_value(76.0)
    page.button(key=f"waiting.{entry['id']}.tell").click().run()
    assert not page.exception
    (told,) = campaign.all()
    assert (told["status"], told["outcome"], told["answered_by"]) == (
        "answered",
        {"velocity": 76.0},
        "Ada (ORGANON_UI_TOKEN)",
    )
    assert told["design"] == told["suggested"]


def test_what_is_missing_is_said(look: Look, write: Any) -> None:
    campaign = waiting(write)
    (entry,) = campaign.waiting()
    page = look(campaign=campaign.id)
    page.text_input(key="waiting.by").set_value("Ada")
    page.button(key=f"waiting.{entry['id']}.reject").click().run()
    assert "the reason" in page.error[0].value
    assert campaign.waiting() == [entry]


def test_an_experiment_is_approved_at_another_design(look: Look, write: Any) -> None:
    campaign = waiting(write, laboratory="simulate", approval=True)
    (entry,) = campaign.waiting()
    page = look(campaign=campaign.id)
    assert "(to be approved)" in _shown(page)
    page.text_input(key="waiting.by").set_value("Ada")
    page.number_input(key=f"waiting.{entry['id']}.set.substrate").set_value(0.5)
    page.button(key=f"waiting.{entry['id']}.approve").click().run()
    assert campaign.advance() == ["waiting"]
    assert campaign.experiments()[0]["design"] == {"substrate": 0.5}


def test_campaigns_that_wait_for_nobody_show_nothing_of_it(look: Look, write: Any) -> None:
    page = look(campaign=write.running())
    assert "Experiments that wait" not in [heading.value for heading in page.subheader]
