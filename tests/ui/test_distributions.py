"""The pages of task distributions: what they are made of, what they draw, how they are edited and trained on."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from experiments_db import jobs
from meta_learner.training.recipe import read_recipe
from orchestrator.desk.distributions import DistributionDesk
from orchestrator.distributions import find_distribution
from orchestrator.job_work import work_next
from orchestrator.settings import load_settings
from orchestrator.tokens import Holder
from tests.ui.conftest import Look
from tests.ui.reading import words

TEXT = """\
# what it is for
name: mine
network: {width: 8, heads: 2, layers: 1}
tables:
  - {weight: 1, hypotheses: [5], designs: [3], outcomes: [2, 3], experiments: [2]}  # small
domains:
  - {weight: 1, names: [enzyme-kinetics, ces], shift: [0, 1.5]}
held-out: {domains: [okuns-law], fields: [medicine]}
imitate: {steps: 6, batch: 4}
"""
EDITOR = "distribution.edit.mine.1"


@pytest.fixture
def desk(write: Any) -> DistributionDesk:
    return DistributionDesk(load_settings(), write.database, Holder("Ada", "operator"))


@pytest.fixture
def mine(desk: DistributionDesk) -> DistributionDesk:
    desk.save(TEXT)
    return desk


def document(page: AppTest, key: str = EDITOR) -> str:
    return str(page.text_area(key).value)


def test_an_empty_home_shows_what_comes_with_organon(look: Look) -> None:
    page = look("distributions")
    assert page.title[0].value == "Task distributions"
    assert "None yet." in page.info[0].value
    assert list(page.dataframe[0].value["name"]) == ["experimenter", "smoke"]


def test_many_are_paged(look: Look, desk: DistributionDesk) -> None:
    for number in range(27):
        desk.save(TEXT.replace("name: mine", f"name: mine-{number:02}"))
    page = look("distributions")
    assert list(page.dataframe[0].value["name"]) == [f"mine-{number:02}" for number in range(25)]
    page.button("distributions.next").click().run()
    assert list(page.dataframe[0].value["name"]) == ["mine-25", "mine-26"]


def test_one_shows_its_parts_ranges_goals_and_what_is_held_out(look: Look, mine: DistributionDesk) -> None:
    page = look("distributions", distribution="mine")
    assert page.title[0].value == "mine"
    rows = page.dataframe[0].value
    assert list(rows["part"]) == ["random tables", "domains by name"]
    assert list(rows["shift"]) == ["", "0 to 1.5"]
    assert rows["of what"][1] == "enzyme-kinetics, ces"
    assert "okuns-law, all of medicine" in words(page)
    assert "6 steps of 4 games imitate look-ahead" in words(page)


def test_unknown_names_and_versions_are_said_in_words(look: Look, mine: DistributionDesk) -> None:
    page = look("distributions", distribution="nobody")
    assert "There is no task distribution 'nobody'" in page.error[0].value.replace("\\", "")
    page = look("distributions", distribution="mine", version="7")
    assert "of version 7" in page.error[0].value
    page = look("distributions", distribution="mine", version="new")
    assert "versions are numbers" in page.error[0].value


def test_the_form_changes_one_place_of_the_document(look: Look, mine: DistributionDesk) -> None:
    page = look("distributions", distribution="mine")
    page.number_input(f"{EDITOR}.tables.0.weight").set_value(0.25).run()
    assert "  - {weight: 0.25, hypotheses: [5], designs: [3]" in document(page)
    assert "# small" in document(page)
    page.number_input(f"{EDITOR}.domains.0.shift.high").set_value(2.5).run()
    page.multiselect(f"{EDITOR}.held-out.domains").set_value(["okuns-law", "epidemic"]).run()
    page.text_input(f"{EDITOR}.tables.0.experiments").set_value("2, 4").run()
    found = yaml.safe_load(document(page))
    assert found["domains"][0]["shift"] == [0.0, 2.5]
    assert found["held-out"] == {"domains": ["okuns-law", "epidemic"], "fields": ["medicine"]}
    assert found["tables"][0]["experiments"] == [2, 4]
    assert document(page).startswith("# what it is for\n")


def test_the_document_changes_the_form_and_errors_stand_at_the_field(look: Look, mine: DistributionDesk) -> None:
    page = look("distributions", distribution="mine")
    text = TEXT.replace("shift: [0, 1.5]", "shift: [3, 1]").replace("steps: 6", "steps: 7").replace("[5]", "[1]")
    page.text_area(EDITOR).set_value(text).run()
    assert page.number_input(f"{EDITOR}.imitate.steps").value == 7
    assert page.number_input(f"{EDITOR}.domains.0.shift.low").value == 3.0
    errors = " ".join(error.value for error in page.error)
    assert "the range runs from 3 to 1" in errors
    assert "greater than or equal to 2" in errors
    assert page.button("distribution.keep").disabled
    page.text_area(EDITOR).set_value("name: [").run()
    assert "The form shows what stands in the document" in words(page)
    assert not page.exception
    page.button("distribution.drop").click().run()
    assert document(page) == TEXT


def test_a_domain_cannot_be_trained_on_and_held_out(look: Look, mine: DistributionDesk) -> None:
    page = look("distributions", distribution="mine")
    page.multiselect(f"{EDITOR}.held-out.domains").set_value(["ces"]).run()
    assert any("ces" in error.value and "is held out" in error.value for error in page.error)


def test_parts_are_added_and_taken_out(look: Look, mine: DistributionDesk) -> None:
    page = look("distributions", distribution="mine")
    page.button(f"{EDITOR}.random-domains.add").click().run()
    page.number_input(f"{EDITOR}.random-domains.0.noise.high").set_value(0.2).run()
    page.text_input(f"{EDITOR}.random-domains.0.goals").set_value("learn=3, maximise").run()
    page.button(f"{EDITOR}.tables.0.remove").click().run()
    found = yaml.safe_load(document(page))
    goals = {"learn": 3.0, "maximise": 1.0}
    assert found["random-domains"] == [{"weight": 0.5, "seeds": [0, 400], "noise": [0.03, 0.2], "goals": goals}]
    page.text_input(f"{EDITOR}.random-domains.0.goals").set_value("learn=many, win=1").run()
    errors = " ".join(error.value for error in page.error)
    assert "valid number" in errors
    assert page.text_input(f"{EDITOR}.random-domains.0.goals").value == "learn=many, win=1"
    assert found["tables"] == []


def test_what_is_kept_is_the_next_version_and_can_be_compared(look: Look, mine: DistributionDesk) -> None:
    page = look("distributions", distribution="mine")
    page.number_input(f"{EDITOR}.imitate.steps").set_value(9).run()
    page.button("distribution.keep").click().run()
    assert not page.exception
    newest = find_distribution(mine.database, "mine")
    assert (newest.version, newest.by) == (2, "ORGANON_UI_TOKEN")
    assert newest.text == TEXT.replace("steps: 6", "steps: 9")
    difference = "\n".join(code.value for code in page.code)
    assert "-imitate: {steps: 6, batch: 4}" in difference
    assert "+imitate: {steps: 9, batch: 4}" in difference


def test_one_that_comes_with_organon_is_kept_under_another_name(look: Look, desk: DistributionDesk) -> None:
    page = look("distributions", distribution="smoke")
    assert "name: my-smoke" in document(page, "distribution.edit.smoke.0")
    page.button("distribution.keep").click().run()
    assert page.query_params["distribution"] in ("my-smoke", ["my-smoke"])
    kept = find_distribution(desk.database, "my-smoke").recipe
    assert kept == read_recipe("smoke").model_copy(update={"name": "my-smoke"})


def test_draws_are_asked_for_waited_for_and_shown(look: Look, mine: DistributionDesk) -> None:
    page = look("distributions", distribution="mine")
    page.number_input("distribution.draw.count").set_value(5).run()
    page.button("distribution.draw").click().run()
    assert "It waits for a worker" in words(page)
    assert work_next(mine.database, load_settings(), lambda: None)[0] == "finished"
    page.run()
    assert "**1." in words(page)
    assert any("aligned" in each.value for each in page.latex)
    assert "A random table" in words(page)
    page.number_input("distribution.draw.seed").set_value(1).run()
    assert "Nothing was drawn with this seed yet." in words(page)


def test_draws_that_fail_say_why(look: Look, mine: DistributionDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    page = look("distributions", distribution="mine")
    page.button("distribution.draw").click().run()
    monkeypatch.setattr("orchestrator.work.drawing.draws", lambda *_: 1 / 0)
    work_next(mine.database, load_settings(), lambda: None)
    page.run()
    assert "Drawing failed" in page.error[0].value
    assert "ZeroDivisionError" in page.error[0].value


def test_training_is_asked_for_and_followed_on_the_agents_page(look: Look, mine: DistributionDesk) -> None:
    page = look("distributions", distribution="mine")
    page.radio("distribution.train.how").set_value("steps").run()
    page.number_input("distribution.train.steps").set_value(3).run()
    page.text_input("distribution.train.name").set_value("apprentice").run()
    page.button("distribution.train").click().run()
    assert not page.exception
    assert page.title[0].value == "apprentice"
    assert "It waits for a worker" in words(page)
    with mine.database.read() as session:
        (job,) = jobs.list_jobs(session)
    assert (job.kind, job.by, job.arguments["steps"], job.arguments["seconds"]) == (
        "train",
        "ORGANON_UI_TOKEN",
        3,
        None,
    )
    assert (job.arguments["distribution"], job.arguments["version"]) == ("mine", 1)


def test_whoever_may_only_look_cannot_press(look: Look, mine: DistributionDesk, token: Callable[[str], None]) -> None:
    token("viewer")
    page = look("distributions", distribution="mine")
    for key in ("distribution.keep", "distribution.draw", "distribution.train"):
        assert page.button(key).disabled
