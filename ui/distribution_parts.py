"""What a task distribution is made of: weights as a picture, ranges, goals, what is held out, how long."""

from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from orchestrator.distributions import Distribution, Recipe
from ui.figure_style import CHART, COLOURS, laid_out
from ui.wording import number, plain

_KINDS = ("random tables", "random domains", "domains by name")


def show_parts(distribution: Distribution) -> None:
    """The picture, and a line for every range."""
    recipe = distribution.recipe
    if recipe is None:
        st.code(distribution.text, language="yaml", wrap_lines=True)
        return
    parts = list(_parts(recipe))
    if recipe.weight > 0:
        st.plotly_chart(_figure(parts, recipe.weight), config=CHART, key="distribution.parts")
    st.dataframe([row for _, _, row in parts], hide_index=True, height="content", key="distribution.ranges")
    st.caption(
        "Shift: how many standard deviations of the prior worlds may lie from its middle, beyond what it expects. "
        "Noise: relative to the signal. Horizon: experiments that a budget pays for."
    )
    _held_out(recipe)
    _stages(recipe)
    with st.expander("The document"):
        st.code(distribution.text, language="yaml", wrap_lines=True)


Line = tuple[str, float, dict[str, Any]]  # its kind, its weight, its row


def _parts(recipe: Recipe) -> Iterator[Line]:
    for table in recipe.tables:
        row = {
            "goals": ", ".join(table.goals),
            "horizon": _span(table.experiments),
            "noise": ", ".join(table.kinds),
            "shift": "",
            "of what": f"{_span(table.hypotheses)} hypotheses × {_span(table.designs)} designs × "
            f"{_span(table.outcomes)} outcomes, costs spread {_span(table.dear)}",
        }
        yield _KINDS[0], table.weight, {"part": _KINDS[0], "weight": table.weight, **row}
    for drawn in recipe.random_domains:
        goals = ", ".join(f"{goal} {weight:g}" for goal, weight in drawn.goals.items()) or "the usual mix"
        row = {
            "goals": goals,
            "horizon": f"up to {drawn.experiments}",
            "noise": _span(drawn.noise),
            "shift": _span(drawn.shift),
            "of what": f"seeds {drawn.seeds[0]} to {drawn.seeds[1] - 1}, {drawn.dynamics:.0%} of them with "
            "differential equations",
        }
        yield _KINDS[1], drawn.weight, {"part": _KINDS[1], "weight": drawn.weight, **row}
    for named in recipe.domains:
        row = {
            "goals": "the domains' own",
            "horizon": f"up to {named.experiments}",
            "noise": "the domains' own",
            "shift": _span(named.shift),
            "of what": ", ".join(named.names),
        }
        yield _KINDS[2], named.weight, {"part": _KINDS[2], "weight": named.weight, **row}


def _figure(parts: Sequence[Line], weight: float) -> go.Figure:
    """One bar, a stretch a part."""
    figure = go.Figure()
    named: set[str] = set()
    for kind, own, row in parts:
        figure.add_bar(
            x=[100 * own / weight],
            y=["tasks"],
            orientation="h",
            name=kind,
            legendgroup=kind,
            showlegend=kind not in named,
            marker={"color": COLOURS[_KINDS.index(kind)], "line": {"color": "white", "width": 1}},
            text=f"{own / weight:.0%}",
            textposition="inside",
            insidetextanchor="middle",
            hovertemplate=f"{kind}: {own / weight:.1%}<br>{row['of what']}<extra></extra>",
        )
        named.add(kind)
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title_text="share of the tasks drawn, %", range=[0, 100])
    figure.update_yaxes(showticklabels=False)
    return laid_out(figure, 170, legend=True)


def _held_out(recipe: Recipe) -> None:
    held = recipe.held_out
    named = [*held.domains, *(f"all of {field}" for field in held.fields)]
    if named:
        st.markdown(f"**Held out**: {plain(', '.join(named))}. Results there are of what was not seen.")
    elif not recipe.domains:
        st.markdown("**Held out**: every real domain, since it trains on none by name.")
    else:
        st.markdown("**Held out**: nothing by name; every domain that is not named above.")


def _stages(recipe: Recipe) -> None:
    imitate, improve, network = recipe.imitate, recipe.improve, recipe.network
    said = [f"{imitate.steps:,} steps of {imitate.batch} games imitate look-ahead"]
    if improve.steps:
        said.append(f"{improve.steps:,} steps improve on it by policy gradient")
    if recipe.curriculum:
        said.append(f"{recipe.curriculum:.0%} of what comes next goes by learning progress")
    st.markdown(f"**How it learns**: {plain('; '.join(said))}.")
    st.markdown(
        f"**Network**: {network.width} wide, {network.heads} heads, {network.layers} layers; seed {recipe.seed}; "
        f"{recipe.precision} precision."
    )


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return number(low) if low == high else f"{number(low)} to {number(high)}"
