"""One run of a campaign: its beliefs by experiment, its experiments, and what each was chosen from."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from experiments_db.database import Database
from experiments_db.queries import BeliefStep
from ui import plots
from ui.quantities import Quantities, Quantity, quantities
from ui.reading import CampaignView, RunView, read_candidates, read_run
from ui.wording import counted, plain

_CHART: dict[str, Any] = {"displayModeBar": False, "displaylogo": False}
_NUMBER = "%.4g"
_ROWS_SHOWN = 15  # a longer table scrolls


def show_run(database: Database, view: CampaignView) -> None:
    """The run that the viewer chooses, the first unless another is chosen."""
    st.subheader("Runs" if view.campaign.runs > 1 else "The run")
    number = _choose_run(view.campaign.id, view.campaign.runs)
    run = read_run(database, view.campaign.id, number - 1)
    if not run.steps:
        st.caption("No experiment of this run is on record" + (" yet." if view.live else "."))
        return
    named = quantities(view.domain.document)
    _mechanisms(run.beliefs)
    _parameters(run.beliefs, named)
    selected = _experiments(run, named, key=f"experiments of {view.campaign.id} {number}")
    if selected is not None:
        step = run.steps[selected]
        if step.given:
            st.caption(f"Experiment {step.step + 1} was made before the campaign: nothing was chosen.")
            return
        candidates = read_candidates(database, view.campaign.id, number - 1, step.step)
        _candidates(candidates, named, step.step + 1)


def _choose_run(campaign_id: str, runs: int) -> int:
    if runs == 1:
        return 1
    return int(
        st.number_input(
            f"Run (1 to {runs:,})",
            min_value=1,
            max_value=runs,
            key=f"run of {campaign_id}",
            width=220,
            help="Runs and experiments are counted from 1 here; `run_index` and `step` in exports count from 0.",
        )
    )


def _mechanisms(beliefs: Sequence[BeliefStep]) -> None:
    names = plots.laws(beliefs)
    if len(names) == 1:
        st.caption(plain(f"The domain has one law, {names[0]}; what is unknown are its parameters."))
        return
    st.markdown("**Which law is it?**")
    st.plotly_chart(plots.mechanism_figure(beliefs), config=_CHART, key="campaign.mechanisms")


def _parameters(beliefs: Sequence[BeliefStep], named: Quantities) -> None:
    names = plots.parameters(beliefs)
    if not names:
        return
    several = len(plots.laws(beliefs)) > 1
    of_which = ", under the law most probable then" if several else ""
    st.markdown(f"**Its parameters**: mean and 90 % interval{of_which}")
    if several:
        st.caption("Colours as above; a line ends where another law takes the lead.")
    for start in range(0, len(names), 2):  # row by row: a narrow screen shows them one below the other, in order
        for name, column in zip(names[start : start + 2], st.columns(2), strict=False):
            with column:
                _parameter(beliefs, named.parameter(name))


def _parameter(beliefs: Sequence[BeliefStep], quantity: Quantity) -> None:
    st.caption(plain(quantity.described))
    figure = plots.parameter_figure(beliefs, quantity)
    st.plotly_chart(figure, config=_CHART, key=f"campaign.parameter.{quantity.name}")


def _experiments(run: RunView, named: Quantities, *, key: str) -> int | None:
    """The table of experiments; returns the row that is selected."""
    st.markdown(f"**{counted(len(run.steps), 'experiment')}**")
    any_given = any(step.given for step in run.steps)
    rows = [
        {"experiment": step.step + 1}
        | {f"design.{name}": value for name, value in step.design.items()}
        | {f"outcome.{name}": value for name, value in step.outcome.items()}
        | {"cost": step.cost}
        | ({"given": step.given} if any_given else {})
        for step in run.steps
    ]
    event = st.dataframe(
        rows,
        hide_index=True,
        height="content" if len(rows) <= _ROWS_SHOWN else "auto",
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        column_config=_columns(rows, named),
    )
    st.caption("Select an experiment to see the designs that were considered for it.")
    selected = [row for row in event["selection"]["rows"] if row < len(rows)]
    return selected[0] if selected else None


def _candidates(candidates: Sequence[Mapping[str, Any]], named: Quantities, experiment: int) -> None:
    if not candidates:
        st.caption(f"No candidates are on record for experiment {experiment}.")
        return
    st.markdown(f"**Leading candidates for experiment {experiment}**, best first")
    rows = [
        {f"design.{name}": value for name, value in candidate["design"].items()} | {"score": candidate["score"]}
        for candidate in candidates
    ]
    st.dataframe(rows, hide_index=True, key="campaign.candidates", column_config=_columns(rows, named))


def _columns(rows: Sequence[Mapping[str, Any]], named: Quantities) -> dict[str, Any]:
    """A heading with its unit for each column, and four significant digits for numbers."""
    return {key: _column(_heading(key, named), [row.get(key) for row in rows]) for key in rows[0]}


def _heading(key: str, named: Quantities) -> str:
    kind, _, name = key.partition(".")
    if not name:
        return key
    return named.design(name).heading if kind == "design" else named.outcome(name).heading


def _column(heading: str, values: Sequence[object]) -> Any:
    if any(isinstance(value, float) for value in values):
        return st.column_config.NumberColumn(heading, format=_NUMBER)
    return st.column_config.Column(heading)
