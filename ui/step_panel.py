"""Why the next experiment: what was considered, how it scored, and what each law predicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from experiments_db import suggestions
from experiments_db.database import Database
from experiments_db.models import OUTSTANDING
from experiments_db.suggestions import SuggestionRecord
from orchestrator.suggestion_rules import is_suggested
from ui.band_plots import candidate_figure
from ui.bands_panel import Moment, show_bands
from ui.figure_style import CHART
from ui.quantities import Quantities, quantities
from ui.reading import CampaignView, RunView, kept, read_candidates
from ui.tables import columns

_SCORE_HELP = (
    "The score is the policy's own: of `expected-information-gain`, the nats that an experiment there was expected to "
    "tell per unit of cost; of an agent, that and what it has learned. Scores of one decision can be compared."
)


def show_step(database: Database, view: CampaignView, run: RunView, known: int) -> None:
    """The decision after ``known`` experiments; where it is not on record yet, the newest one that is."""
    named = quantities(view.domain.document)
    st.subheader("The next experiment, and why")
    waiting = _suggested(database, view, run) if known == len(run.steps) else None
    if waiting is not None:
        _candidates(waiting.candidates, named, known + 1)
    elif known < len(run.steps):
        _recorded(database, run, known, named)
    elif run.steps:
        st.caption(_UNKNOWN.format(known=known))
        _recorded(database, run, known - 1, named)
    elif view.live:
        st.caption("None has been made yet; the first is shown with its reasons once its outcome is on record.")
    show_bands(database, view, run, Moment(known, len(run.steps), None if waiting is None else waiting.id))


_UNKNOWN = (
    "Experiment {known} is the newest on record; the next is recorded with its outcome. So the newest one's choice is "
    "shown. Set the slider back to see any other."
)


def _suggested(database: Database, view: CampaignView, run: RunView) -> SuggestionRecord | None:
    """The oldest experiment that waits in this run; None where none does."""
    if not (view.live and is_suggested(view.campaign.laboratory, view.campaign.settings)):
        return None
    with database.read() as session:
        found = suggestions.suggestions(session, block_id=run.run.block_id, statuses=OUTSTANDING, limit=1)
    return found[0] if found else None


def _recorded(database: Database, run: RunView, step: int, named: Quantities) -> None:
    if run.steps[step].given:
        st.caption(f"Experiment {step + 1} was made before the campaign: nothing was chosen.")
        return
    name = ("candidates", run.run.id, step)
    _candidates(kept(str(name), name, lambda: read_candidates(database, run.run, step)), named, step + 1)


def _candidates(candidates: Sequence[Mapping[str, Any]], named: Quantities, experiment: int) -> None:
    if not candidates:
        st.caption(f"No candidates are on record for experiment {experiment}.")
        return
    st.markdown(f"**Leading candidates for experiment {experiment}**, best first")
    if len(candidates) > 1:
        _figure(candidates, named)
    rows = [
        {f"design.{name}": value for name, value in candidate["design"].items()} | {"score": candidate["score"]}
        for candidate in candidates
    ]
    st.dataframe(rows, hide_index=True, key="campaign.candidates", column_config=columns(rows, named))
    st.caption(_SCORE_HELP)


def _figure(candidates: Sequence[Mapping[str, Any]], named: Quantities) -> None:
    """The scores over one setting."""
    designs = list(candidates[0]["design"])
    axis = designs[0]
    if len(designs) > 1:
        axis = str(st.selectbox("Over the setting", designs, key="campaign.candidates.axis", width=260))
    figure = kept(
        "candidates figure", (axis, repr(candidates)), lambda: candidate_figure(candidates, named.design(axis))
    )
    st.plotly_chart(figure, config=CHART, key="campaign.candidates.figure")
