"""A new domain, or the next version of one: a form for people who know no YAML beside the document, both of which edit
the same thing."""

from dataclasses import replace

import streamlit as st

from domains.errors import Problem
from orchestrator.desk.domains import DomainDesk
from orchestrator.requests import Document
from ui.at_desk import at, may_act
from ui.domain_beginning import show_beginnings
from ui.domain_draft import Editor, Reading, open_editor, read_draft
from ui.form_aims import show_aims, show_question
from ui.form_designs import show_designs
from ui.form_fields import Form, changed, give, take_changes
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
    editor = open_editor()
    typed = changed(editor, _TEXT)
    if typed is not None:
        editor.given[_TEXT] = typed
        editor.keep(replace(editor.draft, text=typed))
    take_changes(editor)
    draft, reading = editor.draft, read_draft(editor.draft)
    if editor.saving and reading.domain is not None:
        _save(editor)
    st.caption(plain(f"Begun from {draft.began}. Nothing is kept until it is saved."))
    show_beginnings(editor)
    form, document = st.columns([3, 2], gap="large")
    with document:
        _verdict(editor, reading)
        _document(editor, reading)
    with form, in_words():
        _form(editor, reading)


def _form(editor: Editor, reading: Reading) -> None:
    if reading.document is None:
        st.warning("The document beside is no YAML at the moment. Mend it there, or undo; then the form comes back.")
        return
    form = Form(editor, reading.document, list(reading.problems))
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
    form.finish()


def _verdict(editor: Editor, reading: Reading) -> None:
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
            on_click=_press_save, args=(editor,),
        )  # fmt: skip
        st.button("Begin anew", key="draft.forget", on_click=editor.forget, help="Forget all changes.")
    if not may_act():
        st.caption("You look as a viewer: try it out as you like; saving needs a token of an operator.")


def _press_save(editor: Editor) -> None:
    editor.saving = True


def _save(editor: Editor) -> None:
    """Keep it through the desk, and go to its page; what the desk has against it is said."""
    editor.saving = False
    draft = editor.draft
    with in_words():
        saved = at(DomainDesk).save(Document(text=draft.text, attachments=dict(draft.tables)))
        editor.forget()
        st.toast(f"Saved as version {saved.identity[:8]}." if saved.new else "This very version was on record already.")
        go("domains", saved.name)


def _document(editor: Editor, reading: Reading) -> None:
    give(editor, _TEXT, editor.draft.text)
    st.text_area("The document (YAML)", key=_TEXT, height=_HEIGHT, label_visibility="collapsed")
    st.caption("Change it here or in the form; Ctrl+Enter takes over what you typed.")
    lines = editor.draft.text.splitlines()
    for problem in reading.problems:
        _problem(problem, lines)


def _problem(problem: Problem, lines: list[str]) -> None:
    place = f"line {problem.line}" if problem.line else "the document"
    about = f", {problem.path}" if problem.path else ""
    st.markdown(f":red[✕ {plain(place + about)}\\: {message_markdown(problem.message)}]")
    if problem.line and problem.line <= len(lines):
        st.code(f"{problem.line}: {lines[problem.line - 1].strip()}", language=None)
