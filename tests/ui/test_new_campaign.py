"""The form that sends the agent out, with measurements already made if there are any."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from domains.loading import find
from experiments_db import jobs, queries, recurrences
from meta_learner.agents.store import SHIPPED, Store
from meta_learner.evaluation.power import Study
from meta_learner.evaluation.power import power as simulate
from orchestrator import services
from orchestrator.agents import default_policy
from orchestrator.settings import load_settings
from tests.tiny_agents import tiny
from tests.ui.conftest import Look
from ui.reading import read_campaign

TABLE = b"design.substrate,outcome.velocity\n0.02,76\n1.10,\n"


def _chosen(look: Look, **values: Any) -> AppTest:
    page = look(new="enzyme-kinetics")
    assert page.selectbox("new.domain").value == "enzyme-kinetics"
    for name, value in values.items():
        page.selectbox(f"new.{name}").select(value).run()
    return page


def _campaigns(write: Any) -> list[queries.CampaignSummary]:
    with write.database.read() as session:
        return queries.list_campaigns(session)


def _jobs(write: Any) -> list[jobs.JobRecord]:
    with write.database.read() as session:
        return jobs.list_jobs(session)


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
    offered = page.selectbox("new.policy").options
    assert offered[0] == default_policy(load_settings())
    assert set(offered) == {*services.POLICY_NAMES, *Store(SHIPPED, SHIPPED).names(), "tiny-one"}

    page.button("new.start").click().run()

    assert not page.exception
    (entry,) = _campaigns(write)
    assert entry.campaign.policy == "tiny-one"
    assert entry.campaign.settings["agent"] == {"weights": stored.card.weights.sha256}


def test_batches_and_stopping_rules_are_asked_for_and_shown(look: Look, write: Any) -> None:
    page = _chosen(look)
    page.number_input("new.batch").set_value(2).run()
    page.number_input("new.stop_probability").set_value(0.9).run()
    page.multiselect("new.stop_parameters").set_value(["km", "vmax"]).run()
    page.number_input("new.stop_width.km").set_value(0.01).run()
    page.number_input("new.stop_width.vmax").set_value(10.0).run()

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


def test_a_width_that_is_missing_is_said_where_it_is_asked(look: Look, write: Any) -> None:
    page = _chosen(look)
    page.multiselect("new.stop_parameters").set_value(["km"]).run()
    assert any("km needs a width above 0" in entry.value for entry in page.caption)


def test_what_it_will_come_to_is_shown_before_it_starts(look: Look, write: Any) -> None:
    page = _chosen(look)
    page.number_input("new.runs").set_value(20).run()
    page.number_input("new.budget").set_value(12.0).run()

    assert {metric.label: metric.value for metric in page.metric} == {
        "Experiments at most": "240",
        "Cost at most": "240",
        "Runs": "20",
    }
    assert any("12 experiments, at a cost of at most 12" in entry.value for entry in page.caption)
    assert _campaigns(write) == []


def test_people_times_and_caps_are_asked_for(look: Look, write: Any) -> None:
    page = _chosen(look, laboratory="manual")
    page.checkbox("new.approval").check().run()
    page.number_input("new.due_hours").set_value(48.0).run()
    page.radio("new.begins").set_value("at a time").run()
    page.datetime_input("new.start_at").set_value(datetime(2030, 1, 31, 8, 0)).run()
    page.checkbox("new.repeats").check().run()
    page.number_input("new.every_hours").set_value(12.0).run()
    page.number_input("new.times").set_value(3).run()
    page.number_input("new.priority").set_value(5).run()
    page.number_input("new.max_experiments").set_value(40).run()
    page.text_input("new.reason").set_value("the enzyme came today").run()

    page.button("new.start").click().run()

    assert not page.exception
    (entry,) = _campaigns(write)
    campaign = entry.campaign
    assert (campaign.settings["approval"], campaign.settings["due_hours"]) == (True, 48.0)
    assert campaign.settings["asked"] == {"by": "ORGANON_UI_TOKEN", "reason": "the enzyme came today"}
    assert campaign.start_at == datetime(2030, 1, 31, 8, 0, tzinfo=UTC)
    assert (campaign.priority, campaign.max_experiments) == (5, 40)
    with write.database.read() as session:
        (repeated,) = recurrences.recurrences(session, campaign.id)
    assert (repeated.every_seconds, repeated.times) == (43200.0, 3)
    assert "asked for by ORGANON\\_UI\\_TOKEN" in page.caption[0].value


def test_a_recorded_campaign_fills_the_form(look: Look, write: Any) -> None:
    kept = write.real(runs=2, budget=3, seed=7, policy="sobol", stop={"probability": 0.99, "widths": {"km": 0.5}})

    page = look(new="1", like=kept)
    page.number_input("new.seed").set_value(8).run()
    page.button("new.start").click().run()

    assert not page.exception
    again, first = (entry.campaign for entry in _campaigns(write))
    assert (again.seed, first.seed) == (8, 7)
    same = ("domain_identity", "policy", "laboratory", "runs", "budget")
    assert [getattr(again, name) for name in same] == [getattr(first, name) for name in same]
    assert again.settings["stop"] == first.settings["stop"]
    assert again.settings["belief"] == first.settings["belief"]


def test_a_prediction_of_what_it_reaches_is_asked_of_the_workers_and_drawn(look: Look, write: Any) -> None:
    page = _chosen(look, policy="random")
    page.number_input("new.budget").set_value(2.0).run()
    page.button("new.power.ask").click().run()
    assert page.get("progress")
    (job,) = _jobs(write)
    assert (job.kind, job.arguments["policy"], job.arguments["budget"]) == ("power", "random", 2.0)
    assert job.arguments["identity"] == find("enzyme-kinetics").identity
    study = Study(policies=("random",), budget=2.0, runs=4, particles=100)
    write.finish_jobs(simulate(find("enzyme-kinetics"), study).to_dict())

    page.run()

    assert not page.exception
    assert any(entry.value.startswith("With 2, the true law leads in **") for entry in page.markdown)
    titles = [json.loads(chart.proto.spec)["layout"]["yaxis"]["title"]["text"] for chart in page.get("plotly_chart")]
    assert titles == ["probability that the true law leads", "width of the interval of vmax (counts/min²)"]


def test_who_may_only_look_cannot_start(look: Look, write: Any, token: Any) -> None:
    token("viewer")
    page = _chosen(look)
    assert page.button("new.start").disabled


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
    assert page.error[0].value.startswith("--laboratory none runs no experiments and analyses those already made")

    page.file_uploader[0].set_value(("made.csv", TABLE.replace(b"0.02", b"99"), "text/csv")).run()
    assert "new.start" not in [button.key for button in page.button]
    assert page.error[0].value.startswith("made.csv\\:2\\: column 'design.substrate'\\: 'substrate' is 99, outside")

    page.file_uploader[0].set_value(("made.csv", b"\xff", "text/csv")).run()
    assert "is not UTF-8; save the table as UTF-8" in page.error[0].value
    assert not page.exception
    assert _campaigns(write) == []
