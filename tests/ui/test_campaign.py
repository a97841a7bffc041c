"""The page of one campaign."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from experiments_db import jobs, log_pages
from orchestrator.settings import load_settings
from tests.orchestrator.at_the_bench import create
from tests.ui.conftest import Look


def _captions(page: AppTest) -> list[str]:
    return [entry.value for entry in page.caption]


def _markdown(page: AppTest) -> list[str]:
    return [entry.value for entry in page.markdown]


def _bands() -> dict[str, Any]:
    quantiles = {"low": [1.0, 2.0], "middle": [2.0, 3.0], "high": [4.0, 5.0], "mean": [2.1, 3.1]}
    following = {"low": 1.5, "middle": 2.5, "high": 4.5, "mean": 2.6}
    points = [
        {"experiment": 1, "design": {"substrate": 0.1}, "outcome": {"velocity": 76.5}, "near": True},
        {"experiment": 2, "design": {"substrate": 0.2}, "outcome": {"velocity": 77.5}, "near": False},
    ]
    law = {"name": "hill", "probability": 0.65, "outcomes": {"velocity": quantiles}, "next": {"velocity": following}}
    grid, at = [0.01, 2.0], {"substrate": 0.2}
    return {
        "known": 2, "axis": "substrate", "at": at, "grid": grid, "laws": [law], "points": points,
        "next": {"substrate": 0.7},
    }  # fmt: skip


def _figures(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def _titles(figures: list[dict[str, Any]]) -> list[str]:
    return [figure["layout"]["yaxis"]["title"]["text"] for figure in figures]


def _metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_a_finished_campaign_shows_its_finding_beliefs_and_experiments(look: Look, write: Any) -> None:
    campaign = write.running(steps=4)
    write.finish(campaign)

    page = look(campaign=campaign)

    assert page.title[0].value == "How fast does \\*this\\* enzyme work?"  # shown as it is, not as Markdown
    assert _metrics(page) == {
        "Status": "● finished",
        "Experiments": "4 of 4",
        "Cost": "4 of 4",
        "Runs finished": "1 of 1",
    }
    assert page.code[0].value.startswith("The law hill leads")
    table = page.dataframe[0].value
    assert list(table.columns) == ["experiment", "design.substrate", "outcome.velocity", "cost"]
    assert list(table["experiment"]) == [1, 2, 3, 4]
    headings = json.loads(page.dataframe[0].proto.columns)
    assert headings["design.substrate"]["label"] == "substrate (ppm)"
    assert headings["outcome.velocity"]["label"] == "velocity (counts/min²)"


def test_mechanism_probabilities_are_named_lines_between_0_and_1(look: Look, write: Any) -> None:
    figure = _figures(look(campaign=write.running(steps=4)))[0]

    assert [line["name"] for line in figure["data"]] == ["michaelis-menten", "hill"]
    assert list(figure["data"][1]["x"]) == [1, 2, 3, 4]
    assert list(figure["data"][1]["y"]) == [0.4, 0.4, 0.65, 0.65]
    assert figure["layout"]["yaxis"]["tickvals"][0] == 0
    assert figure["layout"]["yaxis"]["tickvals"][-1] == 1
    assert figure["layout"]["xaxis"]["title"]["text"] == "experiments done"


def test_every_parameter_has_a_plot_with_its_unit_and_a_band_for_each_leading_law(look: Look, write: Any) -> None:
    figures = _figures(look(campaign=write.running(steps=4)))[1:4]

    assert _titles(figures) == ["vmax (counts/min²)", "km (ppm)", "n"]
    vmax, km, n = (figure["data"] for figure in figures)
    assert [line["x"] for line in vmax] == [[1, 2]] * 3 + [[3, 4]] * 3  # low, high, mean; the lead changes at 3
    assert [line["y"] for line in vmax[:3]] == [[180.0, 181.0], [230.0, 229.0], [200.0, 201.0]]
    assert km[2]["y"] == [None, 201.0]  # without bound at first
    assert [line["x"] for line in n] == [[3, 4]] * 3  # only hill has it


def test_the_slider_shows_why_each_experiment_was_chosen(look: Look, write: Any) -> None:
    campaign = write.running(steps=3, runs=2)
    page = look(campaign=campaign, run="2")
    assert page.number_input(key=f"run of {campaign}").value == 2
    assert "**Leading candidates for experiment 3**, best first" in _markdown(page)  # the newest on record
    assert any(words.startswith("Experiment 3 is the newest on record") for words in _captions(page))

    page.slider[0].set_value(1).run()

    assert "**Leading candidates for experiment 2**, best first" in _markdown(page)
    assert list(page.dataframe[1].value["score"]) == [1.0, 0.0, -1.0]
    scatter = _figures(page)[-1]
    assert scatter["layout"]["xaxis"]["title"]["text"] == "substrate (ppm)"
    assert scatter["data"][1]["y"] == [1.0]
    assert _figures(page)[0]["layout"]["shapes"][0]["x0"] == 1  # a line where one looks


def test_the_slider_stays_with_the_newest_experiment_until_it_is_moved(look: Look, write: Any) -> None:
    campaign = write.running(steps=2)
    page = look(campaign=campaign)
    assert page.slider[0].value == 2
    write.step(campaign, 2)
    page.run()
    assert page.slider[0].value == 3
    page.slider[0].set_value(1).run()
    write.step(campaign, 3)
    page.run()
    assert (page.slider[0].value, page.slider[0].max) == (1, 4)


def test_experiments_made_before_are_marked_and_have_no_candidates(look: Look, write: Any) -> None:
    page = look(campaign=write.running(steps=3, given=2))
    assert list(page.dataframe[0].value["given"]) == [True, True, False]

    page.slider[0].set_value(1).run()

    assert "Experiment 2 was made before the campaign: nothing was chosen." in _captions(page)
    assert len(page.dataframe) == 1


def test_alarms_of_the_belief_are_said_in_words(look: Look, write: Any) -> None:
    where = [{"design": {"substrate": 0.5}, "residual": -4.2}]
    misfit: dict[str, Any] = {
        "log_evidence": 4.0,
        "peak": 5.0,
        "law": "hill",
        "outcome": "velocity",
        "kind": "outliers",
        "where": where,
    }
    diagnostics = {"trusted": False, "explained": True, "surprised": True, "lost": [], "misfit": misfit}
    campaign = write.running(steps=1)
    write.step(campaign, 1, diagnostics=diagnostics)

    page = look(campaign=campaign)

    surprise, care = (entry.value for entry in page.warning)
    assert "speaks against all laws" in surprise
    assert "substrate = 0.5 ppm \\(4.2 standard deviations below\\)" in surprise
    assert "1 run in 148" in surprise
    assert "poor order" in care
    page.slider[0].set_value(1).run()
    assert not page.warning


def test_without_a_worker_the_bands_are_offered_and_then_waited_for(look: Look, write: Any) -> None:
    campaign = write.running(steps=2)
    page = look(campaign=campaign)

    page.button(f"bands.{campaign}.0.ask").click().run()

    assert not page.exception
    assert any("organon start" in words for words in _captions(page))
    with write.database.read() as session:
        (job,) = jobs.list_jobs(session)
    assert (job.kind, job.by, job.arguments["known"]) == ("bands", "ORGANON_UI_TOKEN", 2)
    page.button(f"job.stop.{job.id}").click().run()
    with write.database.read() as session:
        assert jobs.get_job(session, job.id).status == "cancelled"


def test_computed_bands_are_drawn_over_the_measured_points(look: Look, write: Any) -> None:
    campaign = write.running(steps=2)
    arguments = {"campaign": campaign, "run": 0, "known": 2, "axis": "substrate", "at": None, "revised": 0}
    write.job("bands", arguments, _bands())

    page = look(campaign=campaign)

    figure = next(f for f in _figures(page) if f["layout"]["yaxis"]["title"]["text"] == "velocity (counts/min²)")
    assert [line.get("name") for line in figure["data"]][2:4] == ["hill (65%)", "measured"]
    assert figure["data"][3]["x"] == [0.1]
    assert figure["data"][4]["marker"]["symbol"] == "circle-open"
    assert "Where the laws' intervals lie apart, the outcome will tell them apart." in _captions(page)
    assert "**At the next experiment**: substrate = 0.7 ppm" in _markdown(page)


def test_a_failed_job_says_why_and_can_be_tried_again(look: Look, write: Any) -> None:
    campaign = write.running(steps=2)
    page = look(campaign=campaign)
    page.button(f"bands.{campaign}.0.ask").click().run()
    write.fail_jobs("the domain's law is not here")

    page.run()

    assert any("the domain's law is not here" in entry.value for entry in page.error)
    assert "Try again" in [button.label for button in page.button]


def test_who_may_only_look_finds_no_buttons_that_act(look: Look, write: Any, token: Any) -> None:
    campaign = write.running(steps=2)
    token("viewer")

    page = look(campaign=campaign)

    assert page.metric
    assert page.button(f"bands.{campaign}.0.ask").disabled
    assert not [button.key for button in page.button if str(button.key).startswith("campaign.")]


def test_a_campaign_is_paused_resumed_and_cancelled_on_its_page(look: Look, write: Any) -> None:
    campaign = write.running(steps=2)
    page = look(campaign=campaign)
    page.button("campaign.pause").click().run()
    assert _metrics(page)["Status"] == "‖ paused"
    page.button("campaign.resume").click().run()
    assert _metrics(page)["Status"] == "◐ running"

    page.button("campaign.cancel").click().run()
    assert _metrics(page)["Status"] == "◐ running"  # not before it is confirmed
    page.text_input(f"campaign.cancel.reason.{campaign}").set_value("no more substrate").run()
    page.button("campaign.cancel.yes").click().run()

    assert _metrics(page)["Status"] == "⊘ cancelled"
    with write.database.read() as session:
        ended = log_pages.events_page(session, campaign, limit=1)[0].event
    assert (ended.kind, ended.said["by"], ended.said["reason"]) == (
        "campaign cancelled",
        "ORGANON_UI_TOKEN",
        "no more substrate",
    )


def test_a_campaign_is_extended_and_one_that_failed_is_tried_again(look: Look, write: Any) -> None:
    campaign = write.running(steps=2)
    page = look(campaign=campaign)
    page.button("campaign.extend").click().run()
    assert page.error[0].value.startswith("nothing to extend by")
    page.number_input(f"campaign.extend.experiments.{campaign}").set_value(40).run()
    page.button("campaign.extend").click().run()
    assert "at most 40 experiments" in page.caption[0].value

    write.fail(campaign, "no")
    page = look(campaign=campaign)
    page.button("campaign.retry").click().run()
    assert _metrics(page)["Status"] == "◐ running"


def test_what_was_typed_for_one_campaign_is_not_there_for_its_clone(look: Look, write: Any) -> None:
    campaign = write.real(runs=1, budget=2)
    page = look(campaign=campaign)
    page.number_input(f"campaign.extend.runs.{campaign}").set_value(50).run()
    page.button("campaign.clone").click().run()
    assert not page.exception
    (runs,) = [entry for entry in page.number_input if entry.label == "Further runs"]
    assert runs.key != f"campaign.extend.runs.{campaign}"
    assert runs.value == 0


def test_a_repeated_campaign_says_so_and_can_be_stopped(look: Look, write: Any) -> None:
    timetable = {"every": 7200.0, "times": 5}
    created = create(load_settings(), write.database, laboratory="simulate", timetable=timetable)
    page = look(campaign=created.id)
    assert any("It is repeated every 2 hours" in words and "0 of 5 made" in words for words in _captions(page))

    page.button("campaign.stop_repeating").click().run()

    assert not any("It is repeated" in words for words in _captions(page))


def test_a_campaign_is_cloned_on_its_page_and_the_clone_opened(look: Look, write: Any) -> None:
    first = write.real(laboratory="simulate", budget=1, seed=4)
    page = look(campaign=first)
    page.button("campaign.clone").click().run()
    assert "seed 5" in page.caption[0].value
    assert _metrics(page)["Status"] == "○ scheduled"


def test_bands_computed_before_the_next_experiment_was_known_are_computed_anew(look: Look, write: Any) -> None:
    campaign = write.running(steps=2)
    arguments = {"campaign": campaign, "run": 0, "known": 2, "axis": "substrate", "at": None, "revised": 0}
    write.job("bands", arguments, {**_bands(), "next": None})
    write.step(campaign, 2)
    page = look(campaign=campaign)
    page.slider[0].set_value(2).run()
    page.button(f"bands.{campaign}.0.ask").click().run()
    assert not page.exception
    with write.database.read() as session:
        newest = jobs.list_jobs(session)[0]
    assert (newest.status, newest.arguments) == ("waiting", {**arguments, "recorded": True})


def test_a_running_campaign_has_no_finding_yet(look: Look, write: Any) -> None:
    page = look(campaign=write.running(steps=1, runs=3))

    assert _metrics(page) == {
        "Status": "◐ running",
        "Experiments": "3 of 12",
        "Cost": "3 of 12",
        "Runs finished": "0 of 3",
    }
    assert not page.code
    assert "It is written when the campaign has finished." in [entry.value for entry in page.caption]


def test_a_campaign_that_finishes_meanwhile_is_shown_finished(look: Look, write: Any) -> None:
    campaign = write.running(steps=4)
    page = look(campaign=campaign)
    write.finish(campaign)

    page.run()

    assert _metrics(page)["Status"] == "● finished"
    assert page.code


def test_a_failed_campaign_says_why_in_words(look: Look, write: Any) -> None:
    campaign = write.running(steps=1)
    write.fail(campaign, "block 1 stopped: [no] law explains $3; run `organon doctor`")

    page = look(campaign=campaign)

    assert _metrics(page)["Status"] == "✕ failed"
    assert page.error[0].value == "block 1 stopped\\: \\[no\\] law explains \\$3; run `organon doctor`"
    assert "None: the campaign failed." in [entry.value for entry in page.caption]
    assert page.dataframe  # what it had done is still there


def test_a_scheduled_campaign_says_what_it_waits_for(look: Look, write: Any) -> None:
    page = look(campaign=write.scheduled())

    assert "`organon start` brings up workers" in page.info[0].value
    assert "No experiment of this run is on record yet." in [entry.value for entry in page.caption]


@pytest.mark.parametrize("unknown", ["nosuch", "' OR 1=1", "[click](http://example.org)", "`x`"])
def test_an_unknown_id_is_said_in_words_with_the_way_back(look: Look, write: Any, unknown: str) -> None:
    write.scheduled()

    page = look(campaign=unknown)

    assert page.error[0].value.startswith("There is no campaign '")
    assert "](" not in page.error[0].value
    (back,) = page.get("page_link")
    assert (back.proto.label, back.proto.page, back.proto.query_string) == ("All campaigns", "campaigns", "")


def test_the_beginning_of_an_id_is_enough(look: Look, write: Any) -> None:
    assert _metrics(look(campaign=write.scheduled()[:6]))["Status"] == "○ scheduled"
