"""The page of a campaign whose experiments people answer."""

from typing import Any

from sqlalchemy import update
from sqlmodel import col
from streamlit.testing.v1 import AppTest

from experiments_db.models import Suggestion
from orchestrator.job_work import work_next
from orchestrator.settings import load_settings
from orchestrator.suggestion_lines import show
from tests.orchestrator.at_the_bench import Campaign, create
from tests.ui.conftest import NOON, Look


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


def test_several_wait_and_those_that_are_overdue_come_first(look: Look, write: Any) -> None:
    campaign = waiting(write, runs=3, due_hours=1)
    late = campaign.waiting()[1]["id"]
    with write.database.write() as session:
        session.execute(update(Suggestion).where(col(Suggestion.id) == late).values(due_at=NOON))

    page = look(campaign=campaign.id)

    assert list(page.dataframe[0].value["id"]) == [entry["id"] for entry in campaign.waiting()]
    assert _shown(page).startswith(f"{late}: ")
    assert "overdue" in _shown(page)
    assert "1 of them overdue" in page.markdown[0].value
    assert "it is overdue" in page.warning[0].value


def test_an_experiment_is_taken_and_handed_back(look: Look, write: Any) -> None:
    campaign = waiting(write)
    (entry,) = campaign.waiting()
    page = look(campaign=campaign.id)
    page.button(key=f"waiting.{entry['id']}.take").click().run()
    assert "Taken by ORGANON\\_UI\\_TOKEN." in [caption.value for caption in page.caption]
    assert campaign.waiting()[0]["taken_by"] == "ORGANON_UI_TOKEN"
    page.button(key=f"waiting.{entry['id']}.release").click().run()
    assert campaign.waiting()[0]["taken_by"] is None


def test_a_failure_needs_a_reason_and_counts(look: Look, write: Any) -> None:
    campaign = waiting(write)
    (entry,) = campaign.waiting()
    page = look(campaign=campaign.id)
    page.text_input(key=f"waiting.{entry['id']}.reason").set_value("the cuvette broke").run()
    page.button(key=f"waiting.{entry['id']}.fail").click().run()
    assert campaign.all()[0]["failure"] == "the cuvette broke"


def test_what_cannot_be_is_said_at_the_field(look: Look, write: Any) -> None:
    campaign = waiting(write)
    (entry,) = campaign.waiting()
    page = look(campaign=campaign.id)
    page.number_input(key=f"waiting.{entry['id']}.set.substrate").set_value(99.0).run()
    assert any("outside its range" in caption.value for caption in page.caption)
    page.number_input(key=f"waiting.{entry['id']}.velocity").set_value(3.0).run()
    page.button(key=f"waiting.{entry['id']}.tell").click().run()
    assert "outside its range" in page.error[0].value
    assert campaign.waiting()[0]["status"] == "open"


def test_it_says_why_this_one_and_lets_the_laws_predict(look: Look, write: Any) -> None:
    campaign = waiting(write, policy="expected-information-gain")
    (entry,) = campaign.waiting()
    page = look(campaign=campaign.id)
    page.toggle(key=f"waiting.{entry['id']}.why").set_value(True).run()
    scores = list(page.dataframe[0].value["score"])
    assert scores == sorted(scores, reverse=True)

    page.button(key=f"waiting.{entry['id']}.bands.ask").click().run()
    work_next(write.database, load_settings(), lambda: None)
    page.run()

    assert not page.exception
    assert any(mark.value.startswith("**At the next experiment**: substrate = ") for mark in page.markdown)


def test_who_may_only_look_sees_the_card_and_answers_nothing(look: Look, write: Any, token: Any) -> None:
    campaign = waiting(write)
    token("viewer")
    page = look(campaign=campaign.id)
    assert "You may look and not act: an operator answers it." in [caption.value for caption in page.caption]
    assert not [button.key for button in page.button if str(button.key).endswith((".tell", ".take", ".reject"))]


def test_a_result_is_corrected_and_withdrawn_with_a_reason(look: Look, write: Any) -> None:
    campaign = waiting(write)
    (entry,) = campaign.waiting()
    campaign.bench.tell(entry["id"], {"velocity": 76.0})
    campaign.advance()
    page = look(campaign=campaign.id, part="results")
    page.selectbox(key="results.id").select(entry["id"]).run()
    assert page.number_input(key=f"results.{entry['id']}.0.velocity").value == 76.0

    page.number_input(key=f"results.{entry['id']}.0.velocity").set_value(67.0).run()
    page.button(key=f"results.{entry['id']}.0.correct").click().run()
    assert "the reason" in page.error[0].value
    page.text_input(key=f"results.{entry['id']}.0.reason").set_value("digits swapped").run()
    page.button(key=f"results.{entry['id']}.0.correct").click().run()

    assert not page.exception
    (revision,) = show(write.database, entry["id"])["revisions"]
    assert (revision["after"]["outcome"], revision["reason"]) == ({"velocity": 67.0}, "digits swapped")
    page.text_input(key=f"results.{entry['id']}.1.reason").set_value("wrong enzyme").run()
    page.button(key=f"results.{entry['id']}.1.withdraw").click().run()
    assert [line["kind"] for line in show(write.database, entry["id"])["revisions"]] == ["corrected", "withdrawn"]

    campaign.advance()
    page = look(campaign=campaign.id)
    experiments = page.dataframe[[*map(_columns, page.dataframe)].index("experiment")].value
    assert list(experiments["result"]) == ["withdrawn"]


def _columns(table: Any) -> str:
    return str(table.value.columns[0])
