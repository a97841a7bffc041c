"""One run of a campaign: its beliefs by experiment, its experiments, and a look at any moment of its history."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from experiments_db.database import Database
from experiments_db.queries import BeliefStep
from ui import plots
from ui.alarms import show_alarms
from ui.figure_style import CHART
from ui.messages import in_words
from ui.quantities import Quantities, Quantity, quantities
from ui.reading import CampaignView, RunView, kept, read_run
from ui.step_panel import show_step
from ui.tables import columns
from ui.wording import counted, plain

_REFRESH_SECONDS = 2
_ROWS_SHOWN = 15  # a longer table scrolls
_FEW = 6  # parameters that are drawn unasked


def show_run(database: Database, view: CampaignView, number: int) -> None:
    """Run ``number`` (from 1), refreshed while the campaign may still go on."""
    st.fragment(_run, run_every=_REFRESH_SECONDS if view.live else None)(database, view, number)


def _run(database: Database, view: CampaignView, number: int) -> None:
    with in_words():
        run = read_run(database, view, number - 1)
        if not run.steps:
            st.caption("No experiment of this run is on record" + (" yet." if view.live else "."))
            show_step(database, view, run, 0)
            return
        named = quantities(view.domain.document)
        known = _moment(f"step of {view.campaign.id} {number}", len(run.steps))
        signature = (view.campaign.id, number, len(run.steps), known, run.revised)
        show_alarms(run, known, named)
        _mechanisms(run.beliefs, known, signature)
        _parameters(run.beliefs, known, named, signature)
        _experiments(run, named, key=f"experiments of {view.campaign.id} {number}")
        show_step(database, view, run, known)


def _moment(key: str, done: int) -> int:
    """At how many experiments one looks; at the newest for as long as nobody has gone back.

    The value is set at each drawing: a slider whose end has grown would begin anew.
    """
    held = st.session_state.get(f"{key} held")
    st.session_state[key] = done if held is None else held
    st.session_state[f"{key} newest"] = done
    chosen = st.slider(
        "Experiments known",
        0,
        done,
        key=key,
        on_change=_hold,
        args=(key,),
        help="Go back to any moment of the run: what was believed then, and why the next experiment was chosen.",
    )
    return int(chosen)


def _hold(key: str) -> None:
    """Stay where the slider was set; at its end, stay with the newest."""
    value = st.session_state[key]
    st.session_state[f"{key} held"] = None if value == st.session_state[f"{key} newest"] else value


def _mechanisms(beliefs: Sequence[BeliefStep], known: int, signature: object) -> None:
    names = plots.laws(beliefs)
    if len(names) == 1:
        st.caption(plain(f"The domain has one law, {names[0]}; what is unknown are its parameters."))
        return
    st.markdown("**Which law is it?**")
    figure = kept("mechanisms", signature, lambda: plots.mechanism_figure(beliefs, known))
    st.plotly_chart(figure, config=CHART, key="campaign.mechanisms")


def _parameters(beliefs: Sequence[BeliefStep], known: int, named: Quantities, signature: object) -> None:
    names = plots.parameters(beliefs)
    if not names:
        return
    several = len(plots.laws(beliefs)) > 1
    of_which = ", under the law most probable then" if several else ""
    st.markdown(f"**Its parameters**: mean and 90 % interval{of_which}")
    if several:
        st.caption("Colours as above; a line ends where another law takes the lead.")
    if len(names) > _FEW and not st.toggle(f"All {len(names)} parameters", key="campaign.every_parameter"):
        names = names[:_FEW]
    for start in range(0, len(names), 2):  # row by row: a narrow screen shows them one below the other, in order
        for name, column in zip(names[start : start + 2], st.columns(2), strict=False):
            with column:
                _parameter(beliefs, known, named.parameter(name), signature)


def _parameter(beliefs: Sequence[BeliefStep], known: int, quantity: Quantity, signature: object) -> None:
    st.caption(plain(quantity.described))
    figure = kept(f"parameter {quantity.name}", signature, lambda: plots.parameter_figure(beliefs, quantity, known))
    st.plotly_chart(figure, config=CHART, key=f"campaign.parameter.{quantity.name}")


def _experiments(run: RunView, named: Quantities, *, key: str) -> None:
    """The table of experiments, as they hold now."""
    st.markdown(f"**{counted(len(run.steps), 'experiment')}**")
    any_given = any(step.given for step in run.steps)
    rows = [_row(run, step.step, any_given=any_given) for step in run.steps]
    st.dataframe(
        rows,
        hide_index=True,
        height="content" if len(rows) <= _ROWS_SHOWN else "auto",
        key=key,
        column_config=columns(rows, named),
    )
    if run.standing:
        st.caption("Designs and outcomes are those that hold now; “result” says which were corrected or withdrawn.")


def _row(run: RunView, place: int, *, any_given: bool) -> Mapping[str, Any]:
    step, now = run.steps[place], run.standing.get(place, {})
    return (
        {"experiment": step.step + 1}
        | {f"design.{name}": value for name, value in now.get("design", step.design).items()}
        | {f"outcome.{name}": value for name, value in now.get("outcome", step.outcome).items()}
        | {"cost": step.cost}
        | ({"given": step.given} if any_given else {})
        | ({"result": now.get("result", "as told")} if run.standing else {})
    )
