"""What a domain's laws predict before any experiment: pictures that a worker simulated."""

from typing import Any

import streamlit as st

from domains.document import Domain
from orchestrator.desk.domains import prediction_of
from ui.figure_style import CHART
from ui.job_panel import show_job
from ui.prediction_figure import prediction_figure
from ui.quantities import Quantity
from ui.wording import counted, number, plain

_HELP = (
    "Simulated at a thousand draws from the priors, noise included: the band in which nine of ten outcomes fall, the "
    "inner half, and the median. Where two laws' bands lie over each other, an experiment hardly tells them apart."
)


def show_predictions(domain: Domain) -> None:
    """A picture for each number that comes back, one panel a law, over the design that is chosen."""
    st.subheader("What the laws predict")
    st.caption(_HELP)
    names = [design.name for design in domain.designs]
    axis = str(st.selectbox("Design on the axis", names, key="domain.axis", width=260) or names[0])

    def draw(result: dict[str, Any]) -> None:
        _pictures(domain, result)

    show_job(prediction_of(domain, axis), button="Simulate the predictions", key=f"domain.prediction.{axis}", draw=draw)


def _pictures(domain: Domain, result: dict[str, Any]) -> None:
    design = next(design for design in domain.designs if design.name == result["axis"])
    held = ", ".join(f"{name} = {_setting(value)}" for name, value in result["held"].items())
    if held:
        st.caption(plain(f"The others are held in the middle of their ranges: {held}."))
    outcomes = {outcome.name: outcome for outcome in domain.outcomes}
    for entry, shown in result["laws"][0]["outcomes"].items():
        outcome = outcomes[shown["outcome"]]
        figure = prediction_figure(
            result, entry, axis=Quantity(design.name, design.unit).heading,
            outcome=Quantity(entry, outcome.unit).heading, logarithmic=design.scale == "log",
            words=design.kind == "choice",
        )  # fmt: skip
        st.plotly_chart(figure, width="stretch", key=f"prediction.{entry}", config=CHART)
    _notes(result)


def _notes(result: dict[str, Any]) -> None:
    if len(result["laws"]) < result["laws_in_all"]:
        left = result["laws_in_all"] - len(result["laws"])
        st.caption(f"The likeliest laws before any experiment; {counted(left, 'more law')} not drawn.")
    for law in result["laws"]:
        if law["broken"]:
            st.caption(plain(f"{law['law']}: {law['broken']:.2%} of the simulated experiments gave no finite number."))
    if any(None in row for law in result["laws"] for s in law["outcomes"].values() for row in s.get("bands", [])):
        st.caption("Gaps in a band: the constraints allow no such design, or nothing there is finite.")


def _setting(value: float | str) -> str:
    return value if isinstance(value, str) else number(value)
