"""The pages of agents: the register, a card, a training under way, comparing, adapting, promoting and retiring."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ui
from experiments_db import jobs
from meta_learner.agents.store import SHIPPED, Store
from orchestrator import agents, job_work, training
from orchestrator.desk.agents import AgentDesk
from orchestrator.desk.distributions import DistributionDesk, Length
from orchestrator.job_work import work_next
from orchestrator.retirement import retired_agents
from orchestrator.settings import load_settings
from orchestrator.tokens import Holder
from tests.orchestrator.test_training import RECIPE
from tests.tiny_agents import proven, result, tiny
from tests.ui.conftest import Look
from tests.ui.reading import words
from tests.ui.test_distributions import TEXT

OPERATOR = Holder("Ada", "operator")
_APP = Path(ui.__file__).parent / "app.py"
_LOADED = """
import os
import sys
from streamlit.testing.v1 import AppTest
from ui import access
access.sent_token = lambda: os.environ["ORGANON_UI_TOKEN"]
page = AppTest.from_file(sys.argv[1], default_timeout=30)
page.run()
for view, names in (("agents", ("", "experimenter")), ("distributions", ("", "smoke"))):
    for name in names:
        if name:
            page.query_params[view.removesuffix("s")] = name
        page.switch_page(f"views/{view}.py").run()
        assert page.title and page.dataframe, page
        assert not page.exception and not page.error, (page.exception, page.error)
print(*sorted(name for name in sys.modules if name.partition(".")[0] in ("torch", "meta_learner")))
print(*sorted(name for name in sys.modules if name in ("domains.compiler", "domains.worlds")))
"""


@pytest.fixture
def desk(write: Any) -> AgentDesk:
    return AgentDesk(load_settings(), write.database, OPERATOR)


def keep(home: Path, name: str = "tiny-one", *, good: bool = False, **about: Any) -> Store:
    store = Store(home / "agents")
    card, weights = tiny(name, **about)
    store.save(proven(card) if good else card, weights)
    return store


def trained(desk: AgentDesk) -> None:
    """An untrained experimenter named tiny."""
    training.train(desk.settings, desk.database, RECIPE, seconds=0.0)


def test_the_process_of_these_pages_loads_neither_torch_nor_the_science(write: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, str(_APP)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    free = {"meta_learner", "meta_learner.agents", "meta_learner.training", "meta_learner.training.recipe"}
    cards = {f"meta_learner.agents.{name}" for name in ("card", "standing", "store")}
    assert set(done.stdout.split()) <= free | cards


def test_an_empty_home_shows_the_shipped_agent_and_the_classical_policies(look: Look) -> None:
    page = look("agents")
    assert page.title[0].value == "Agents"
    assert list(page.dataframe[0].value["name"]) == ["experimenter"]
    for name in ("expected-information-gain", "expected-improvement", "sobol", "random"):
        assert f"**{name}**" in words(page)
    assert "New campaigns that name no policy take" in words(page)


def test_the_default_comes_first_and_the_retired_last(look: Look, home: Path, desk: AgentDesk) -> None:
    keep(home, "good", good=True)
    keep(home, "bad")
    desk.promote("good")
    desk.retire("bad", "it knows nothing")
    rows = look("agents").dataframe[0].value
    assert list(rows["name"]) == ["good", "experimenter", "bad"]
    assert list(rows["standing"]) == ["default", "offered", "retired"]
    assert rows["gain"][0] == "1.000 (1.000 to 1.000)"


def test_many_are_paged_and_a_card_that_cannot_be_read_says_so(look: Look, home: Path) -> None:
    for number in range(30):
        keep(home, f"tiny-{number:02}")
    (home / "agents" / "tiny-03" / "card.json").write_text("{")
    page = look("agents")
    rows = page.dataframe[0].value
    assert len(rows) == 25
    broken = rows[rows["name"] == "tiny-03"].iloc[0]
    assert broken["standing"] == "unreadable"
    assert "card.json" in broken["trained on"]
    page.button("agents.next").click().run()
    assert len(page.dataframe[0].value) == 6
    page = look("agents", agent="tiny-03")
    assert "card.json" in page.error[0].value


def test_a_card_shows_what_it_is_and_how_it_stands(look: Look, home: Path) -> None:
    keep(home, "good", good=True, limits="Knows slopes only.")
    page = look("agents", agent="good")
    shown = words(page)
    assert "**Trained on**: nothing at all" in shown
    assert "**Limits**: Knows slopes only." in shown
    assert "It gains **1.000** of what" in shown
    assert "it can be the default policy" in shown
    assert list(page.dataframe[0].value["domain"]) == [f"d{number}" for number in range(6)]


def test_what_a_card_lacks_is_said(look: Look, home: Path) -> None:
    store = keep(home)
    page = look("agents", agent="tiny-one")
    assert "Nothing was measured yet" in words(page)
    stored = store.find("tiny-one")
    store.record(stored, result(stored.card, difference=-0.5, interval=(-0.6, -0.4)))
    shown = words(look("agents", agent="tiny-one"))
    assert "it is clearly worse on d0" in shown
    assert "What it lacks to be the default policy" in shown


def test_the_shipped_agent(look: Look) -> None:
    page = look("agents", agent="experimenter")
    assert "comes with Organon" in words(page)
    assert len(page.dataframe[0].value) == len(Store(SHIPPED, SHIPPED).find("experimenter").card.held_out)


def test_an_agent_that_is_not_there(look: Look) -> None:
    assert "There is no agent 'nobody'" in look("agents", agent="nobody").error[0].value.replace("\\", "")


def test_promoting_is_asked_twice_and_taken_back(look: Look, home: Path) -> None:
    keep(home, "good", good=True)
    page = look("agents", agent="good")
    page.button("agent.promote").click().run()
    assert agents.default_policy(load_settings()) == "good"
    assert "The default policy of new campaigns." in words(page)
    page.button("agent.demote").click().run()
    assert agents.default_policy(load_settings()) == "expected-information-gain"


def test_retiring_and_putting_back(look: Look, home: Path) -> None:
    keep(home)
    page = look("agents", agent="tiny-one")
    page.text_input("agent.retire.reason").set_value("a newer one is better").run()
    page.button("agent.retire").click().run()
    (kept,) = retired_agents(load_settings()).values()
    assert (kept.by, kept.reason) == ("ORGANON_UI_TOKEN", "a newer one is better")
    assert "a newer one is better" in page.warning[0].value
    page.button("agent.restore").click().run()
    assert retired_agents(load_settings()) == {}
    assert not page.warning


def test_a_training_under_way_is_seen_and_stopped(look: Look, desk: AgentDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_work, "_SLICE_SECONDS", 0.0)
    distributions = DistributionDesk(desk.settings, desk.database, OPERATOR)
    distributions.save(TEXT)
    job = distributions.train("mine", None, agent="apprentice", length=Length())
    page = look("agents")
    links = [element.proto.label for element in page.get("page_link")]
    assert "apprentice, in training: 0%" in links
    page = look("agents", agent="apprentice")
    assert "It is being made" in words(page)
    assert "It waits for a worker" in words(page)
    for _ in range(2):
        work_next(desk.database, desk.settings, lambda: None)
    page.run()
    assert "Step 2 of 6" in words(page)
    assert page.get("plotly_chart")
    page.button(f"job.stop.{job.id}").click().run()
    assert "was stopped" in words(page)
    assert "**Trained on**" in words(page)  # its card: what it has learned is an agent


def test_a_training_that_failed_says_why(look: Look, desk: AgentDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    distributions = DistributionDesk(desk.settings, desk.database, OPERATOR)
    distributions.save(TEXT)
    distributions.train("mine", None, agent="apprentice", length=Length())
    monkeypatch.setattr("orchestrator.work.training.training.train", lambda *_, **__: 1 / 0)
    work_next(desk.database, desk.settings, lambda: None)
    page = look("agents", agent="apprentice")
    assert "Training of apprentice failed" in page.error[0].value
    assert "Traceback" not in page.error[0].value
    (button,) = [button for button in page.button if button.label == "Try again"]
    button.click().run()
    assert "It waits for a worker" in words(page)


def test_two_are_compared(look: Look, desk: AgentDesk) -> None:
    trained(desk)
    page = look("agents", agent="tiny")
    page.selectbox("agent.compare.domain").select("death-process")
    page.selectbox("agent.compare.other").select("random")
    page.number_input("agent.compare.runs").set_value(2)
    page.button("agent.compare.ask").click().run()
    assert not page.exception
    with desk.database.write() as session:
        (job,) = jobs.list_jobs(session, kind="compare")
    assert job.arguments["runs"] == 2
    assert [policy["name"] for policy in job.arguments["policies"]] == ["tiny", "random"]
    assert "It waits for a worker" in words(page)
    assert work_next(desk.database, desk.settings, lambda: None)[0] in ("finished", "again")
    page.run()
    assert not page.exception
    shown = words(page)
    assert "over 2 worlds" in shown
    tables = [list(frame.value["policy"]) for frame in page.dataframe if "policy" in frame.value]
    assert tables == [["tiny", "random"]]


def test_what_cannot_be_compared_is_said_in_the_form(look: Look, home: Path) -> None:
    keep(home, goals=("learn",))
    page = look("agents", agent="tiny-one")
    page.selectbox("agent.compare.domain").select("dose-finding")
    page.button("agent.compare.ask").click().run()
    assert "this agent serves the goals learn" in page.error[0].value.replace("\\", "")


def test_an_agent_is_adapted(look: Look, desk: AgentDesk) -> None:
    trained(desk)
    page = look("agents", agent="tiny")
    page.selectbox("agent.adapt.domain").select("death-process").run()
    page.number_input("agent.adapt.minutes").set_value(0.1).run()
    page.button("agent.adapt.ask").click().run()
    assert page.title[0].value == "tiny\\-death\\-process" or page.title[0].value == "tiny-death-process"
    assert "It waits for a worker" in words(page)
    with desk.database.write() as session:
        (job,) = jobs.list_jobs(session, kind="adapt")
        session.connection().exec_driver_sql(
            "UPDATE job SET arguments = json_set(arguments, '$.seconds', 0.01) WHERE id = ?", (job.id,)
        )
    assert work_next(desk.database, desk.settings, lambda: None)[0] == "finished"
    page.run()
    assert not page.exception
    shown = words(page)
    assert "Adapted from tiny" in shown
    assert [metric.label for metric in page.metric] == ["Regret at first", "Regret at last", "Steps on the domain"]
    assert "**For**: death-process" in shown


def test_only_experimenters_adapt(look: Look, home: Path) -> None:
    keep(home)
    assert "Only agents of the family experimenter adapt" in words(look("agents", agent="tiny-one"))


def test_whoever_may_only_look_cannot_press(
    look: Look, home: Path, desk: AgentDesk, token: Callable[[str], None]
) -> None:
    trained(desk)
    token("viewer")
    page = look("agents", agent="tiny")
    for key in ("agent.compare.ask", "agent.adapt.ask"):
        assert page.button(key).disabled
    page.button("agent.retire").click().run()
    assert "may look and not act" in page.error[0].value
    assert retired_agents(load_settings()) == {}
