"""One task distribution: what it is made of, what it draws, how it is edited, and training on it."""

import streamlit as st

from experiments_db.errors import NotFoundError
from orchestrator.distributions import Distribution, find_distribution, versions_of
from ui.distribution_draws import show_draws
from ui.distribution_editor import show_editor
from ui.distribution_parts import show_parts
from ui.distribution_training import show_training
from ui.distribution_versions import show_versions
from ui.links import asked, link_back
from ui.opening import open_database
from ui.wording import message_markdown, moment, plain, viewer_zone


def show_distribution() -> None:
    """The page of the distribution that the address names."""
    link_back("distributions", "All task distributions")
    database, name = open_database(), asked("distributions")
    distribution = find_distribution(database, name, _version())
    st.title(plain(name))
    _heading(distribution)
    for problem in distribution.problems:
        st.error(message_markdown(f"It cannot be trained on: {problem}"), icon=":material/error:")
    made, drawn, edited, compared, trained = st.tabs(
        ["What it is made of", "What a draw looks like", "Edit", "Versions", "Train on it"]
    )
    with made:
        show_parts(distribution)
    with drawn:
        show_draws(distribution)
    with edited:
        show_editor(distribution)
    with compared:
        show_versions(distribution, versions_of(database, name))
    with trained:
        show_training(distribution)


def _version() -> int | None:
    """The version that the address names, if it does."""
    version = str(st.query_params.get("version", ""))
    if version and not version.isdecimal():
        raise NotFoundError(f"There is no version '{version}': versions are numbers, from 1 on.")
    return int(version) if version else None


def _heading(distribution: Distribution) -> None:
    if distribution.shipped:
        st.caption("Comes with Organon, and is not changed; what you edit is kept under a name of your own.")
    else:
        when = moment(distribution.created_at, viewer_zone())
        st.caption(plain(f"Version {distribution.version}, kept by {distribution.by} at {when}."))
    if distribution.recipe is not None and distribution.recipe.summary:
        st.markdown(plain(distribution.recipe.summary))
