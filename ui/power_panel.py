"""What a campaign is likely to reach, before it is started: simulated by a worker on demand."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from orchestrator.requests import CampaignRequest, Document
from orchestrator.services import BEST_POLICY, POLICY_NAMES, CheckedCampaign
from ui.figure_style import CHART, COLOURS, add_band, laid_out
from ui.job_panel import show_job
from ui.wording import number, plain

_RUNS, _PARTICLES = 50, 500


def show_power(named: str | Document, request: CampaignRequest, checked: CheckedCampaign) -> None:
    """Probability of finding the law and widths of intervals against the budget; nothing where nothing is simulated."""
    if checked.expected_cost <= 0:
        return
    st.subheader("What is it likely to reach?")
    policy = checked.policy.name if checked.policy.name in POLICY_NAMES else BEST_POLICY
    who = "" if policy == checked.policy.name else f" by {policy}, in place of the agent: agents are not simulated here"
    st.caption(
        plain(
            f"Simulates {_RUNS} worlds of this domain{who}, with {_PARTICLES} particles a law; a worker takes a minute."
        )
    )
    arguments = {
        "domain": named if isinstance(named, str) else named.model_dump(),
        "identity": checked.domain.identity,  # a name of the catalogue may mean another document in another version
        "policy": policy,
        "budget": checked.budget,
        "runs": _RUNS,
        "particles": _PARTICLES,
        "seed": request.seed,
    }
    show_job(("power", arguments), button="Predict what it will reach", key="new.power", draw=_drawn)


def _drawn(report: dict[str, Any]) -> None:
    power = report["policies"][0]
    what = "budget of a run" if report["unequal"] else "experiments of a run"
    _in_words(report, power)
    if report["laws"] > 1:
        figure = _curve(report["budgets"], power["found"], "share", what, "probability that the true law leads")
        st.plotly_chart(figure.update_yaxes(range=[-0.03, 1.03]), config=CHART, key="new.power.found")
        st.caption("The line is the share of worlds, the band its 95 % interval.")
    if power["parameters"]:
        names = [parameter["name"] for parameter in power["parameters"]]
        name = st.selectbox("Width of the 90 % interval of", names, key="new.power.parameter", width=300)
        chosen = power["parameters"][names.index(name)]
        title = f"width of the interval of {name}" + (f" ({chosen['unit']})" if chosen["unit"] else "")
        figure = _curve(report["budgets"], chosen["width"], "median", what, title)
        st.plotly_chart(figure, config=CHART, key="new.power.width")
        st.caption("The line is the median over worlds that have the parameter, the band 80 % of them.")


def _in_words(report: dict[str, Any], power: dict[str, Any]) -> None:
    end = number(report["budgets"][-1])
    if report["laws"] > 1:
        found = power["found"]
        low, share, high = (found[key][-1] for key in ("low", "share", "high"))
        st.markdown(f"With {end}, the true law leads in **{share:.0%}** of the worlds (95 %: {low:.0%} to {high:.0%}).")
    for need in power["needs"]:
        if need["target"]["kind"] == "law":
            needed = "not within it" if need["budget"] is None else f"from {number(need['budget'])} on"
            limit, assured = need["target"]["limit"], report["assurance"]
            st.markdown(
                f"The true law reaches a probability of {limit:.0%} in {assured:.0%} of the worlds: **{needed}**."
            )


def _curve(budgets: list[float], of: dict[str, Any], middle: str, what: str, title: str) -> go.Figure:
    figure = go.Figure()
    add_band(figure, budgets, of["low"], of["high"], COLOURS[0])
    figure.add_scatter(
        x=budgets, y=of[middle], mode="lines", line={"color": COLOURS[0], "width": 2},
        hovertemplate="%{x:.4g}: %{y:.3g}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text=what)
    figure.update_yaxes(title_text=title)
    return laid_out(figure, 280)
