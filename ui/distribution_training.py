"""Training on a task distribution: how long, and under which name; followed on the agent's page."""

import streamlit as st

from orchestrator.agent_work import given_name, open_jobs
from orchestrator.desk.distributions import DistributionDesk, Length
from orchestrator.distributions import Distribution, Recipe
from ui.at_desk import at, may_act
from ui.links import go, link
from ui.messages import in_words
from ui.opening import open_database
from ui.wording import plain

_LENGTHS = ("minutes", "steps", "to the end")


def show_training(distribution: Distribution) -> None:
    """The form, and the trainings that are under way."""
    recipe = distribution.recipe
    if recipe is None or distribution.problems:
        st.info("Mend it under Edit first.")
        return
    st.markdown(
        "A worker trains in slices of some seconds, between which campaigns have their turn. It can be stopped at any "
        "moment, keeps an agent that can be used, and goes on later where it was: ask for it again under the same name."
    )
    with in_words():
        _form(distribution, recipe)
    for job in open_jobs(open_database(), "train"):
        if job.arguments["distribution"] == distribution.name:
            link("agents", f"Training now: {given_name(job)}", given_name(job))


def _form(distribution: Distribution, recipe: Recipe) -> None:
    own = distribution.name if not distribution.shipped else f"my-{distribution.name}"
    name = st.text_input("Name of the agent", own, key="distribution.train.name", help="Letters a-z, digits, hyphens.")
    how = st.radio("How long", _LENGTHS, horizontal=True, key="distribution.train.how")
    steps = recipe.imitate.steps + recipe.improve.steps
    length = Length()
    if how == "minutes":
        minutes = st.number_input("Minutes at work", min_value=0.1, value=10.0, key="distribution.train.minutes")
        length = Length(minutes=float(minutes))
    elif how == "steps":
        many = st.number_input("Steps", 1, max(1, steps), min(500, max(1, steps)), key="distribution.train.steps")
        length = Length(steps=int(many))
    st.caption(plain(f"The recipe ends after {steps:,} steps at most; its learning rates fall towards that."))
    if st.button("Train", type="primary", key="distribution.train", disabled=not may_act()):
        version = None if distribution.shipped else distribution.version
        at(DistributionDesk).train(distribution.name, version, agent=name, length=length)
        go("agents", name)
