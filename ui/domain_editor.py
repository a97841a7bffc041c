"""A new domain, or the next version of one: a form for people who know no YAML beside the document, both of which edit
the same thing."""

from dataclasses import replace
from functools import partial

import streamlit as st

from domains.errors import Problem
from orchestrator.desk.domains import DomainDesk, Saved
from orchestrator.requests import Document
from ui.at_desk import at, may_act
from ui.domain_beginning import show_beginnings
from ui.domain_draft import Draft, Reading, current_draft, forget_draft, keep_draft, read_draft
from ui.form_aims import show_aims, show_question
from ui.form_designs import show_designs
from ui.form_fields import Form, echoed, give
from ui.form_laws import show_laws
from ui.form_outcomes import show_outcomes
from ui.form_unknowns import show_unknowns
from ui.links import go, link_back
from ui.messages import in_words
from ui.wording import counted, message_markdown, number, plain

_TEXT = "draft.text"
_UNKNOWNS = ("parameters",)
_HEIGHT = 900


def show_editor() -> None:
    """The page: how to begin, the form on the left, the document with its verdict on the right."""
    link_back("domains", "All domains")
    st.title("New domain")
    draft = current_draft()
    reading = read_draft(draft)
    st.caption(plain(f"Begun from {draft.began}. Nothing is kept until it is saved."))
    show_beginnings()
    form, document = st.columns([3, 2], gap="large")
    with document:
        _verdict(draft, reading)
        _document(draft, reading)
    with form, in_words():
        _form(reading)


def _form(reading: Reading) -> None:
    if reading.document is None:
        st.warning("The document beside is no YAML at the moment. Mend it there, or undo; then the form comes back.")
        return
    form = Form(reading.document, list(reading.problems))
    show_question(form)
    show_designs(form)
    st.subheader("What is unknown")
    st.caption("What you would bet on before any experiment. A number that you know stands here too, as known.")
    show_unknowns(form, _UNKNOWNS, "Unknown")
    show_laws(form)
    show_outcomes(form)
    show_aims(form)
    if form.problems:
        st.subheader("What else is wrong")
        form.errors(())


def _verdict(draft: Draft, reading: Reading) -> None:
    """Whether it is in order, and the button that keeps it."""
    st.subheader("The document")
    if reading.domain is not None:
        laws = counted(len(reading.domain.mechanisms), "law")
        st.success(f"In order: {laws}, budget {number(reading.domain.budget)}.", icon=":material/check_circle:")
    else:
        st.warning(f"{counted(len(reading.problems), 'problem')} to mend: each stands at its field and below.")
    with st.container(horizontal=True):
        st.button(
            "Save", type="primary", key="draft.save", disabled=reading.domain is None or not may_act(),
            help="Keeps this text as a version for good; a campaign can then ask it by its name.",
            on_click=partial(_save, draft),
        )  # fmt: skip
        st.button(
            "Begin anew", key="draft.forget", on_click=forget_draft, help="Forget all changes since the beginning."
        )
    if not may_act():
        st.caption("You look as a viewer: try it out as you like; saving needs a token of an operator.")
    _saved()


def _save(draft: Draft) -> None:
    """Keep it through the desk; what the desk says is shown on the next drawing."""
    with in_words():
        st.session_state["draft.saved"] = at(DomainDesk).save(Document(text=draft.text, attachments=dict(draft.tables)))


def _saved() -> None:
    saved: Saved | None = st.session_state.pop("draft.saved", None)
    if saved is not None:
        forget_draft()
        st.toast(f"Saved as version {saved.identity[:8]}." if saved.new else "This very version was on record already.")
        go("domains", saved.name)


def _document(draft: Draft, reading: Reading) -> None:
    give(_TEXT, draft.text)
    st.text_area("The document (YAML)", key=_TEXT, height=_HEIGHT, on_change=_typed, label_visibility="collapsed")
    st.caption("Change it here or in the form; Ctrl+Enter takes over what you typed.")
    lines = draft.text.splitlines()
    for problem in reading.problems:
        _problem(problem, lines)


def _typed() -> None:
    if not echoed(_TEXT):
        keep_draft(replace(current_draft(), text=str(st.session_state[_TEXT])))


def _problem(problem: Problem, lines: list[str]) -> None:
    place = f"line {problem.line}" if problem.line else "the document"
    about = f", {problem.path}" if problem.path else ""
    st.markdown(f":red[✕ {plain(place + about)}\\: {message_markdown(problem.message)}]")
    if problem.line and problem.line <= len(lines):
        st.code(f"{problem.line}: {lines[problem.line - 1].strip()}", language=None)
