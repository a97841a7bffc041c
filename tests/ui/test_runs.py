"""Across the runs of a campaign, and from their table to one of them."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from experiments_db.run_reads import RunOutcome
from orchestrator.run_statistics import Held, run_statistics
from tests.ui.conftest import Look


def _titles(page: AppTest) -> list[str]:
    return [json.loads(chart.proto.spec)["layout"]["xaxis"]["title"]["text"] for chart in page.get("plotly_chart")]


def test_finished_runs_are_summed_up_and_each_is_a_line(look: Look, write: Any) -> None:
    campaign = write.real(laboratory="simulate", runs=6, budget=4)

    page = look(campaign=campaign, part="runs")

    assert not page.exception
    titles = _titles(page)
    assert titles[:4] == [
        "finished runs in which it leads",
        "probability of the leading law",
        "experiments of the run",
        "information gained (nats)",
    ]
    assert titles[4].startswith("width of the 90 % interval of ")
    table = page.dataframe[-1].value
    assert list(table["run"]) == [1, 2, 3, 4, 5, 6]
    assert set(table["experiments"]) == {4}
    assert "true law" in table.columns


def test_a_run_is_opened_from_the_table_and_stands_in_the_address(look: Look, write: Any) -> None:
    campaign = write.real(laboratory="simulate", runs=3, budget=2)
    page = look(campaign=campaign, part="runs")

    page.session_state["runs.table"] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    page.dataframe[-1].run()
    open_run(page, campaign)

    assert page.number_input(key=f"run of {campaign}").value == 3
    assert page.query_params["run"] in ("3", ["3"])
    assert page.slider[0].max == 2


def open_run(page: AppTest, campaign: str) -> None:
    """As the table's callback does, which AppTest cannot press."""
    page.session_state[f"part of {campaign}"] = "run"
    page.session_state[f"run of {campaign}"] = 3
    page.run()


def test_many_runs_are_paged_and_narrowed_by_the_law_that_leads(look: Look, write: Any) -> None:
    campaign = write.real(laboratory="simulate", runs=60, budget=1, particles=60)
    page = look(campaign=campaign, part="runs")
    assert len(page.dataframe[-1].value) == 50
    page.number_input(key=f"runs.page.{campaign}.None").set_value(2).run()
    assert list(page.dataframe[-1].value["run"]) == list(range(51, 61))

    law = page.selectbox("runs.law").options[1]
    page.selectbox("runs.law").select(law).run()
    assert set(page.dataframe[-1].value["leading law"]) == {law}


def test_before_any_run_has_finished_the_table_is_there(look: Look, write: Any) -> None:
    page = look(campaign=write.running(steps=2, runs=3), part="runs")
    assert "No run has finished yet: distributions are drawn of those that have." in [e.value for e in page.caption]
    assert list(page.dataframe[0].value["leading law"]) == ["michaelis-menten"] * 3


def _outcome(
    index: int, law: str, probability: float, *, held: bool = True, information: float | None = 2.0
) -> RunOutcome:
    parameters = {"km": {"low90": 0.1, "high90": 0.3}, "n": {"low90": None, "high90": 2.0}}
    shares = {"hill": probability, "rival": 1 - probability}
    finding = {
        "mechanism": law, "probability": probability, "mechanism_probability": shares, "parameters": parameters,
        "experiments": 4,
    }  # fmt: skip
    truth = {"mechanism": "hill", "parameters": {"km": 0.2 if held else 0.5}}
    return RunOutcome(index, finding, truth, information)


def test_what_was_believed_is_set_beside_what_held() -> None:
    outcomes = [_outcome(index, "hill", 0.92, held=index > 0) for index in range(9)]
    outcomes += [_outcome(9, "rival", 0.94, information=None)]

    found = run_statistics(outcomes)

    assert found.laws == [Held("90% to 95%", pytest.approx(0.922), 9, 10)]
    assert found.intervals == [Held("km", 0.9, 8, 9)]
    assert found.widths == {"km": [pytest.approx(0.2)] * 10}
    assert found.information == [2.0] * 9


def test_the_interval_of_a_share_is_wilsons() -> None:
    low, high = Held("", 0.9, 8, 10).interval
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
