"""The form that sends the agent out."""

from typing import Any

import streamlit as st

from orchestrator import services
from orchestrator.given_data import Table, uploaded_table
from orchestrator.settings import load_settings
from orchestrator.stopping import read_widths
from ui.links import go
from ui.messages import in_words
from ui.opening import open_database
from ui.wording import number

_LABORATORY_HELP = (
    "Who runs the experiments: `simulate` draws worlds and simulates, `replay:NAME` looks them up in a table of real "
    "measurements, and with `none` nobody does: measurements already made are analysed."
)


def new_campaign() -> None:
    """A closed panel with everything that a campaign needs; what is wrong is said in it."""
    with st.expander("New campaign"), in_words():
        values = _questions()
        if st.button("Start", type="primary", key="new.start"):
            request = services.campaign_request(**values)
            go("campaigns", services.create_campaign(load_settings(), open_database(), request).id)


def _questions() -> dict[str, Any]:
    left, right = st.columns(2)
    with left:
        domain = str(st.selectbox("Domain", services.domain_names(), key="new.domain"))
        choices = services.campaign_choices(load_settings(), domain)
        laboratory = st.selectbox("Laboratory", choices.laboratories, key="new.laboratory", help=_LABORATORY_HELP)
        policy = st.selectbox("Policy", choices.policies, key="new.policy", help="How experiments are chosen.")
    with right:
        runs = st.number_input("Runs", min_value=1, value=1, key="new.runs", help="How many worlds to investigate.")
        own = number(choices.budget)
        budget = st.number_input(
            "Budget a run", min_value=0.0, value=None, placeholder=f"{own}, the domain's", key="new.budget"
        )
        seed = st.number_input("Seed", min_value=0, value=0, key="new.seed", help="Same seed, same result.")
    return {
        "domain": domain,
        "laboratory": laboratory,
        "policy": policy,
        "runs": runs,
        "budget": budget,
        "seed": seed,
        **_conduct(),
        "data": _measurements(choices.data_columns),
    }


def _conduct() -> dict[str, Any]:
    """Batches, and what ends a run before its budget does."""
    left, right = st.columns(2)
    with left:
        batch = st.number_input("Batch", 1, 64, 1, key="new.batch", help="Experiments chosen at a time, run together.")
        probability = st.number_input(
            "Stop at probability",
            0.0,
            1.0,
            None,
            key="new.stop_probability",
            help="Of the most probable law, at least.",
        )
    with right:
        widths = st.text_input(
            "Stop at widths", placeholder="km=0.01, vmax=10", key="new.stop_widths",
            help="Of the 90 % intervals of parameters, at most. With a probability, both must be reached.",
        )  # fmt: skip
        information = st.number_input(
            "Stop below information", 0.0, None, None, key="new.stop_information",
            help="Expected of the best experiment per unit of cost, in nats; for predictions a share of variance.",
        )  # fmt: skip
    named = read_widths([text for text in widths.split(",") if text.strip()])
    return {"batch": batch, "stop": {"probability": probability, "widths": named, "information": information}}


def _measurements(columns: list[str]) -> Table | None:
    """The table of experiments already made, if one was uploaded."""
    listed = ", ".join(f"`{name}`" for name in columns)
    upload = st.file_uploader(
        "Measurements already made (optional, CSV)",
        type="csv",
        key="new.data",
        help=f"A table with a row an experiment and the columns {listed}, as in an export. Every run starts from them, "
        "at no cost; an empty outcome is missing.",
    )
    return None if upload is None else uploaded_table(upload.name, upload.getvalue())
