"""Measured points over the bands that each law predicts, at any moment of a run; computed by workers."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from experiments_db.database import Database
from orchestrator import jobs
from ui import plots
from ui.band_plots import band_figure, next_figure
from ui.figure_style import CHART
from ui.job_panel import show_job
from ui.quantities import Quantities, quantities
from ui.reading import CampaignView, RunView, kept
from ui.wording import plain


@dataclass(frozen=True)
class Moment:
    """At how many experiments of a run one looks, how many it has, and which suggestion is to come next, if any is."""

    known: int
    done: int
    suggestion: int | None = None

    @property
    def following(self) -> dict[str, Any]:
        """By which bands with what comes next are told from those computed when that was not known yet."""
        if self.known < self.done:
            return {"recorded": True}
        return {} if self.suggestion is None else {"suggestion": self.suggestion}


def show_bands(database: Database, view: CampaignView, run: RunView, moment: Moment) -> None:
    """What each law predicts after so many experiments, over one setting; and at the experiment that came next."""
    named = quantities(view.domain.document)
    designs = list(named.designs)
    if not designs:
        return
    st.subheader("What each law predicts")
    at = _choices(run, named, moment)
    axis = at.pop("axis")
    arguments = {
        "campaign": view.campaign.id,
        "run": run.run.index,
        "known": moment.known,
        "axis": axis,
        "at": at["at"],
        "revised": run.revised,
        **moment.following,
    }
    order = plots.laws(run.beliefs)
    if moment.known == moment.done and moment.known and view.live and jobs.look(database, "bands", arguments) is None:
        _last(view, run, named, order)
    key = f"bands.{view.campaign.id}.{run.run.index}"

    def draw(result: dict[str, Any]) -> None:
        st.session_state[f"{key}.last"] = (repr(arguments), result)
        show_predictions(result, named, order, repr(arguments))

    words = f"Compute it after {moment.known} experiment{'' if moment.known == 1 else 's'}"
    show_job(("bands", arguments), button=words, key=key, draw=draw)


def _last(view: CampaignView, run: RunView, named: Quantities, order: list[str]) -> None:
    """While a campaign goes on: what was last computed, so that each new experiment does not take it away."""
    last = st.session_state.get(f"bands.{view.campaign.id}.{run.run.index}.last")
    if last is not None:
        signature, result = last
        st.caption(f"As computed after {result['known']} experiments; there are more since.")
        show_predictions(result, named, order, signature)


def _choices(run: RunView, named: Quantities, moment: Moment) -> dict[str, Any]:
    """The setting that the bands run over, and the others' values: those of an experiment that is chosen."""
    designs = list(named.designs)
    left, right = st.columns(2)
    axis = designs[0]
    if len(designs) > 1:
        axis = str(left.selectbox("Over the setting", designs, key="bands.axis"))
    held = None
    if len(designs) > 1 and moment.known:
        chosen = right.selectbox(
            "Other settings as in experiment", [None, *range(moment.known, 0, -1)], key="bands.at",
            format_func=lambda place: "the newest" if place is None else str(place),
        )  # fmt: skip
        held = None if chosen is None or chosen > moment.known else run.steps[chosen - 1].design
    return {"axis": axis, "at": held}


def show_predictions(
    result: dict[str, Any], named: Quantities, order: list[str], what: str, key: str = "bands"
) -> None:
    """The figure of bands for one outcome, and the next experiment's predictions; what: of which bands these are."""
    outcomes = list(result["laws"][0]["outcomes"])
    outcome = outcomes[0]
    if len(outcomes) > 1:
        outcome = str(st.selectbox("Outcome", outcomes, key=f"{key}.outcome", width=260))
    quantity, axis = named.entry(outcome), named.design(result["axis"])
    signature = (what, outcome)
    figure = kept(f"{key} figure", signature, lambda: band_figure(result, order, axis, quantity))
    st.plotly_chart(figure, config=CHART, key=f"{key}.figure")
    st.caption(plain(_words(result, named)))
    if result.get("next") is not None:
        st.markdown("**At the next experiment**: " + plain(named.settings(result["next"])))
        told = kept(f"{key} next", signature, lambda: next_figure(result, order, quantity))
        st.plotly_chart(told, config=CHART, key=f"{key}.next")
        st.caption("Where the laws' intervals lie apart, the outcome will tell them apart.")


def _words(result: dict[str, Any], named: Quantities) -> str:
    others = {name: value for name, value in result["at"].items() if name != result["axis"]}
    where = f" Other settings: {named.settings(others)}." if others else ""
    after = f"after {result['known']} experiments" if result["known"] else "before any experiment"
    marked = " The dashed line is where the next experiment was set." if result.get("next") is not None else ""
    return f"Median and 90 % of the outcomes that each law predicts {after}, noise included.{where}{marked}"
