"""The learning curve of a training under way, as far as it has come."""

import streamlit as st

from orchestrator.agent_register import trainings_of
from ui.agent_figures import curve_figure
from ui.figure_style import CHART
from ui.opening import open_database

_VALUES = "regret, then gain; a share"


def show_live(agent: str) -> None:
    """The newest training's curve."""
    newest = next(iter(trainings_of(open_database(), agent, limit=1)), None)
    if newest is None or not newest.curve:
        st.caption("The learning curve is drawn from its first point on.")
        return
    st.caption(f"Step {newest.step:,} of {newest.steps:,} after {newest.seconds:,.0f} seconds of work.")
    figure = curve_figure(newest.curve, newest.step, "steps", _VALUES)
    st.plotly_chart(figure, config=CHART, key=f"agent.live.{agent}")
