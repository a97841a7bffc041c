"""What a belief says against itself: surprise, misfit, poor particles; in words."""

from collections.abc import Mapping
from math import exp
from typing import Any

import streamlit as st

from ui.quantities import Quantities
from ui.reading import RunView
from ui.wording import plain

_KINDS = {
    "design": "in a way that depends on the design",
    "order": "in a way that drifts from one experiment to the next",
    "more scatter": "by scattering more than the law allows",
    "less scatter": "by scattering less than the law says",
    "outliers": "by values that the law all but excludes",
}


def show_alarms(run: RunView, known: int, named: Quantities) -> None:
    """Warnings of the belief after ``known`` experiments; before that, none is recorded."""
    if known == 0:
        return
    for words in alarm_words(run.steps[known - 1].belief.get("diagnostics") or {}, named):
        st.warning(words)


def alarm_words(diagnostics: Mapping[str, Any], named: Quantities) -> list[str]:
    """Each alarm with what it means and what can be done, as Markdown."""
    if not diagnostics.get("explained", True):
        return [
            "**No law explains what came back**: at least one outcome is impossible under all of them. Look for a "
            "wrong reading or unit, or add a law to the domain."
        ]
    words = []
    if diagnostics.get("surprised"):
        words.append(
            f"**Surprise**: what came back speaks against all laws of this domain.{_misfit(diagnostics, named)}"
        )
    if lost := diagnostics.get("lost"):
        words.append(
            f"**A law was lost**: none of the particles of {plain(' and '.join(lost))} could give an outcome; with "
            "more particles one might."
        )
    elif not diagnostics.get("trusted", True):
        words.append(
            "**Take care**: the particles of this belief are in poor order (few are left, or they hardly move). A "
            "clone with more particles or moves says more."
        )
    return words


def _misfit(diagnostics: Mapping[str, Any], named: Quantities) -> str:
    """Where the data depart, once the alarm was raised."""
    misfit = diagnostics.get("misfit") or {}
    if "where" not in misfit:
        return ""
    how = _KINDS.get(misfit["kind"], "")
    places = "; ".join(f"{named.settings(place['design'])} ({_apart(place['residual'])})" for place in misfit["where"])
    rarity = f"1 run in {min(exp(min(misfit['peak'], 14.0)), 1e6):,.0f}"
    told = f" {misfit['outcome']} departs from {misfit['law']} {how}, most at {places}. If a law held, evidence as "
    return plain(f"{told}strong as this would arise in at most {rarity}.")


def _apart(residual: float) -> str:
    return f"{abs(residual):.1f} standard deviations {'above' if residual > 0 else 'below'}"
