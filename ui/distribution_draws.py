"""What draws of a task distribution look like; drawn by a worker, for a seed that one can change."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from experiments_db.jobs import asked_job
from orchestrator.desk.distributions import DRAWS, MOST_DRAWS, DistributionDesk, draw_arguments
from orchestrator.distributions import Distribution
from ui.at_desk import at, may_act
from ui.figure_style import CHART, add_band, colour, laid_out
from ui.job_panel import watch
from ui.messages import in_words
from ui.opening import open_database
from ui.wording import number, plain

Drawn = Mapping[str, Any]


def show_draws(distribution: Distribution) -> None:
    """A seed, a button, and the tasks."""
    st.markdown("Tasks as a training would meet them. Another seed draws others; the same seed draws the same.")
    if distribution.recipe is None or distribution.problems:
        st.info("What cannot be trained on draws nothing.")
        return
    seed, count = _asked()
    with in_words():
        if st.button("Draw", type="primary", key="distribution.draw", disabled=not may_act()):
            version = None if distribution.shipped else distribution.version
            at(DistributionDesk).draw(distribution.name, version, seed=seed, count=count)
        arguments = draw_arguments(distribution.recipe, seed, count)
        _answer(arguments)


def _asked() -> tuple[int, int]:
    left, right, _ = st.columns([1, 1, 2])
    with left:
        seed = st.number_input("Seed", min_value=0, value=0, key="distribution.draw.seed")
    with right:
        count = st.number_input("How many", 1, MOST_DRAWS, DRAWS, key="distribution.draw.count")
    return int(seed), int(count)


def _answer(arguments: dict[str, Any]) -> None:
    with open_database().read() as session:
        job = asked_job(session, "draw", arguments)
    if job is None:
        st.caption("Nothing was drawn with this seed yet.")
    elif job.result is None:
        watch(job, "Drawing")
    else:
        for index, drawn in enumerate(job.result["draws"]):
            with st.container(border=True):
                _draw(index, drawn)


def _draw(index: int, drawn: Drawn) -> None:
    if drawn["kind"] == "table":
        _table(index, drawn)
    else:
        _domain(index, drawn)


def _table(index: int, drawn: Drawn) -> None:
    st.markdown(f"**{index + 1}. A random table**, {plain(drawn['table'])}, for {plain(drawn['goal'])}")
    st.caption(
        f"{drawn['hypotheses']} hypotheses, {drawn['designs']} designs, {drawn['outcomes']} outcomes; a budget of "
        f"{number(drawn['budget'])} where a design costs {number(min(drawn['cost']))} to {number(max(drawn['cost']))}; "
        f"the teacher looks {drawn['ahead']} experiments ahead."
    )
    outcomes = len(drawn["probability"][0][0])
    which = 1
    if outcomes > 2:
        numbers = list(range(1, outcomes + 1))
        which = int(st.radio("Outcome", numbers, horizontal=True, key=f"distribution.draw.outcome.{index}"))
    st.plotly_chart(_heat(drawn, which), config=CHART, key=f"distribution.draw.table.{index}")


def _heat(drawn: Drawn, which: int) -> go.Figure:
    values = [[hypothesis[which - 1] for hypothesis in design] for design in drawn["probability"]]
    figure = go.Figure()
    figure.add_heatmap(
        z=values,
        x=list(range(1, len(values[0]) + 1)),
        y=list(range(1, len(values) + 1)),
        zmin=0.0,
        zmax=1.0,
        colorscale="Cividis",
        colorbar={"title": {"text": f"P(outcome {which})"}},
        hovertemplate=f"design %{{y}}, hypothesis %{{x}}: P(outcome {which}) = %{{z:.3f}}<extra></extra>",
    )
    figure.update_xaxes(title_text="hypothesis", dtick=max(1, len(values[0]) // 12))
    figure.update_yaxes(title_text="design", dtick=max(1, len(values) // 8))
    return laid_out(figure, 130 + 22 * min(12, len(values)))


def _domain(index: int, drawn: Drawn) -> None:
    kind = "a random domain" if drawn["random"] else drawn["name"]
    st.markdown(f"**{index + 1}. {plain(drawn['title'])}** ({plain(kind)})")
    st.caption(plain(f"{drawn['field']}; goal: {drawn['goal']}; budget {number(drawn['budget'])}."))
    for law in drawn["laws"]:
        st.markdown(f"*{plain(law['label'])}*")
        if law["latex"]:
            st.latex(law["latex"])
        else:
            st.caption("Written in Python.")
    if drawn["more_laws"]:
        st.caption(f"And {drawn['more_laws']} more laws.")
    st.markdown("*What comes back*")
    st.latex(drawn["outcomes_latex"])
    st.plotly_chart(predictive_figure(drawn["predictive"]), config=CHART, key=f"distribution.draw.domain.{index}")
    st.caption("Before any experiment: median and 90 % band of the outcome under each law, other designs midway.")


def predictive_figure(predictive: Mapping[str, Any]) -> go.Figure:
    """The prior-predictive of the outcome along the first design, a band a law."""
    figure = go.Figure()
    for index, law in enumerate(predictive["laws"]):
        shade = colour(index)
        low, middle, high = ([None if at is None else at[k] for at in law["quantiles"]] for k in range(3))
        add_band(figure, predictive["at"], low, high, shade)
        figure.add_scatter(
            x=predictive["at"], y=middle, mode="lines+markers", name=law["law"],
            line={"color": shade, "width": 2}, marker={"size": 4},
            hovertemplate=f"{law['law']}: %{{y:.4g}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text=_with_unit(predictive["design"]))
    figure.update_yaxes(title_text=_with_unit(predictive["outcome"]))
    return laid_out(figure, 320, legend=True)


def _with_unit(quantity: Mapping[str, str]) -> str:
    return f"{quantity['name']}, {quantity['unit']}" if quantity["unit"] else quantity["name"]
