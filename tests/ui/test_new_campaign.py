"""The form that sends the agent out, with measurements already made if there are any."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from experiments_db import queries
from meta_learner.agents.store import SHIPPED, Store
from orchestrator import services
from tests.tiny_agents import tiny
from ui.reading import read_campaign

Look = Callable[..., AppTest]
TABLE = b"design.substrate,outcome.velocity\n0.02,76\n1.10,\n"


def _chosen(look: Look, **values: Any) -> AppTest:
    page = look()
    page.selectbox("new.domain").select("enzyme-kinetics").run()
    for name, value in values.items():
        page.selectbox(f"new.{name}").select(value).run()
    return page


def _campaigns(write: Any) -> list[queries.CampaignSummary]:
    with write.database.read() as session:
        return queries.list_campaigns(session)


def test_a_campaign_is_started_and_opened(look: Look, write: Any) -> None:
    page = _chosen(look, policy="sobol")
    page.number_input("new.runs").set_value(3).run()
    page.number_input("new.budget").set_value(4.0).run()

    page.button("new.start").click().run()

    assert not page.exception
    (entry,) = _campaigns(write)
    assert (entry.domain_name, entry.campaign.policy, entry.campaign.laboratory) == (
        "enzyme-kinetics",
        "sobol",
        "simulate",
    )
    assert (entry.campaign.runs, entry.campaign.budget) == (3, 4.0)
    assert page.query_params["campaign"] in (entry.campaign.id, [entry.campaign.id])
    assert page.metric[0].value == "○ scheduled"


def test_an_agent_of_the_home_can_be_chosen(look: Look, write: Any, home: Path) -> None:
    stored = Store(home / "agents").save(*tiny())
    page = _chosen(look, policy="tiny-one")
    assert page.selectbox("new.policy").options == [
        *services.POLICY_NAMES,
        *Store(SHIPPED, SHIPPED).names(),
        "tiny-one",
    ]

    page.button("new.start").click().run()

    assert not page.exception
    (entry,) = _campaigns(write)
    assert entry.campaign.policy == "tiny-one"
    assert entry.campaign.settings["agent"] == {"weights": stored.card.weights.sha256}


def test_batches_and_stopping_rules_are_asked_for_and_shown(look: Look, write: Any) -> None:
    page = _chosen(look)
    page.number_input("new.batch").set_value(2).run()
    page.number_input("new.stop_probability").set_value(0.9).run()
    page.text_input("new.stop_widths").set_value("km=0.01, vmax = 10").run()

    page.button("new.start").click().run()

    assert not page.exception
    (entry,) = _campaigns(write)
    assert entry.campaign.settings["batch"] == 2
    assert entry.campaign.settings["stop"] == {
        "probability": 0.9,
        "widths": {"km": 0.01, "vmax": 10.0},
        "information": None,
    }
    assert "batches of 2 · stops once a law is at least 0.9 probable and the 90 % interval" in page.caption[0].value


def test_widths_that_cannot_be_read_are_said_in_the_form(look: Look, write: Any) -> None:
    page = _chosen(look)
    page.text_input("new.stop_widths").set_value("km").run()
    assert page.error[0].value.startswith("--stop-width km\\: write NAME=WIDTH")
    assert _campaigns(write) == []


def test_an_uploaded_table_is_analysed(look: Look, write: Any) -> None:
    page = _chosen(look, laboratory="none")
    assert "`design.substrate`, `outcome.velocity`" in page.file_uploader[0].help
    page.file_uploader[0].set_value(("made.csv", TABLE, "text/csv")).run()

    page.button("new.start").click().run()

    assert not page.exception
    (entry,) = _campaigns(write)
    data = read_campaign(write.database, entry.campaign.id).data
    assert data is not None
    assert (data.file, data.rows) == ("made.csv", 2)
    assert "started from 2 experiments of made.csv" in page.caption[0].value


def test_what_is_wrong_is_said_in_the_form_and_nothing_is_written(look: Look, write: Any) -> None:
    page = _chosen(look, laboratory="none")
    page.button("new.start").click().run()
    assert page.error[0].value.startswith("--laboratory none runs no experiments and analyses those already made")

    page.file_uploader[0].set_value(("made.csv", TABLE.replace(b"0.02", b"99"), "text/csv")).run()
    page.button("new.start").click().run()
    assert page.error[0].value.startswith("made.csv\\:2\\: column 'design.substrate'\\: 'substrate' is 99, outside")

    page.file_uploader[0].set_value(("made.csv", b"\xff", "text/csv")).run()
    assert "is not UTF-8; save the table as UTF-8" in page.error[0].value
    assert not page.exception
    assert _campaigns(write) == []
