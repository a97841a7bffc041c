"""Editing a task distribution: a form beside the document, both of the same text, kept as a new version.

The text is what is edited; the form shows what stands in it, and a change in the form changes that one place of the
text. What the form does not know, comments too, stays as it was written.
"""

from collections.abc import Sequence

import streamlit as st

from orchestrator.desk.distributions import DistributionDesk
from orchestrator.distributions import Distribution, Problem, a_copy, data_of, examine_own
from ui.at_desk import at, may_act
from ui.distribution_form import Draft, show_form
from ui.links import go
from ui.messages import in_words
from ui.wording import plain

_HEIGHT = 640  # pixels of the document's field


def show_editor(distribution: Distribution) -> None:
    """Both, what is wrong, and the button that keeps a version."""
    draft = Draft(f"distribution.edit.{distribution.name}.{distribution.version}", a_copy(distribution))
    text = draft.text
    data = data_of(text)
    _, problems = examine_own(text)
    form, document = st.columns([3, 2])
    with document:
        _document(draft)
    with form:
        if isinstance(data, dict):
            show_form(draft, data, problems)
        else:
            st.info("The form shows what stands in the document, once that is in order again.")
    with document:
        _said(problems)
        _keep(draft, text, problems)


def _document(draft: Draft) -> None:
    if draft.key not in st.session_state:
        st.session_state[draft.key] = draft.text
    st.text_area(
        "The document (YAML)",
        height=_HEIGHT,
        key=draft.key,
        on_change=draft.typed,
        help="What is written here and what the form shows are the same. Comments stay.",
    )


def _said(problems: Sequence[Problem]) -> None:
    if not problems:
        st.success("It can be trained on.")
        return
    st.markdown("**To be mended**")
    st.markdown("\n".join(f"- {plain(str(problem))}" for problem in problems[:10]))
    if len(problems) > 10:
        st.caption(f"And {len(problems) - 10} more.")


def _keep(draft: Draft, text: str, problems: Sequence[Problem]) -> None:
    keep, drop = st.columns(2)
    with keep, in_words():
        unfit = bool(problems) or not may_act()
        if st.button("Keep as a new version", type="primary", key="distribution.keep", disabled=unfit):
            kept = at(DistributionDesk).save(text)
            draft.forget()
            go("distributions", kept.name)
    with drop:
        st.button("Begin anew", key="distribution.drop", on_click=draft.forget, help="Drops what was changed here.")
