"""The page of one campaign."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

Look = Callable[..., AppTest]


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
    figures = _figures(look(campaign=write.running(steps=4)))[1:]

    assert _titles(figures) == ["vmax (counts/min²)", "km (ppm)", "n"]
    vmax, km, n = (figure["data"] for figure in figures)
    assert [line["x"] for line in vmax] == [[1, 2]] * 3 + [[3, 4]] * 3  # low, high, mean; the lead changes at 3
    assert [line["y"] for line in vmax[:3]] == [[180.0, 181.0], [230.0, 229.0], [200.0, 201.0]]
    assert km[2]["y"] == [None, 201.0]  # without bound at first
    assert [line["x"] for line in n] == [[3, 4]] * 3  # only hill has it


def test_selecting_an_experiment_shows_what_it_was_chosen_from(look: Look, write: Any) -> None:
    campaign = write.running(steps=3, runs=2)
    page = look(campaign=campaign)
    assert len(page.dataframe) == 1

    page.number_input[0].set_value(2).run()
    page.session_state[f"experiments of {campaign} 2"] = {"selection": {"rows": [1]}}
    page.run()

    assert "**Leading candidates for experiment 2**, best first" in [entry.value for entry in page.markdown]
    assert list(page.dataframe[1].value["score"]) == [1.0, 0.0, -1.0]


def test_experiments_made_before_are_marked_and_have_no_candidates(look: Look, write: Any) -> None:
    campaign = write.running(steps=3, given=2)
    page = look(campaign=campaign)
    assert list(page.dataframe[0].value["given"]) == [True, True, False]

    page.session_state[f"experiments of {campaign} 1"] = {"selection": {"rows": [1]}}
    page.run()

    assert "Experiment 2 was made before the campaign: nothing was chosen." in [entry.value for entry in page.caption]
    assert len(page.dataframe) == 1


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

    assert "`organon worker`, or `organon start`" in page.info[0].value
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
