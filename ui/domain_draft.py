"""A domain that is being written: its text, which the form and the document both edit, kept until it is saved."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st

import domains
from domains.document import Domain
from domains.errors import DocumentError, DomainError, Problem
from domains.loading import attachments, find, load_text
from domains.reading import Key, read_text
from domains.rewriting import rewritten
from orchestrator.desk.domains import taken_name
from orchestrator.own_domains import own_domain
from ui.opening import open_database
from ui.plain_edits import Document

_EDITOR = "domains.editor"
BLANK = """format: 1
name: my-question
title: What do I want to know?
designs:
  x: {real: [0, 10]}
parameters:
  a: {prior: {lognormal: [0, 0.5]}}
  noise: 0.1
mechanisms:
  law-1: {let: {expected: a * x}}
outcomes:
  y: {normal: {mean: expected, sd: noise}}
budget: 10
goal: learn
"""


@dataclass(frozen=True)
class Draft:
    """The text and the tables that its replays name; ``began``: from what, in words."""

    text: str
    tables: Mapping[str, str] = field(default_factory=dict)
    began: str = ""


@dataclass(frozen=True)
class Reading:
    """A draft as it reads: document is None where it is no YAML, domain where anything is wrong with it."""

    document: Document | None
    domain: Domain | None
    problems: tuple[Problem, ...]


def read_draft(draft: Draft) -> Reading:
    """Everything that the real loader says of a draft, and whether its name is free."""
    try:
        document = read_text(draft.text).data
    except DocumentError as error:
        return Reading(None, None, error.problems)
    problems: tuple[Problem, ...] = ()
    domain = None
    try:
        domain = load_text(draft.text, attachments=draft.tables)
    except DocumentError as error:
        problems = error.problems
    except DomainError as error:
        problems = (Problem("", None, str(error)),)
    if taken := taken_name(str(document.get("name"))):
        problems += (Problem("name", None, taken),)
    return Reading(document, None if problems else domain, problems)


Address = tuple[str, str, str]  # what a draft begins from: ``from``, ``copy``, ``start`` of the page's address


@dataclass
class Editor:
    """The drafts of a session by their address, and what their fields show.

    Streamlit breaks off a run wherever the session's state is touched when the browser sends another change. What must
    not be lost is therefore kept here, in one object, whose changes nothing interrupts.

    given: field → the value that the document gave it last; taken: field → the values that it had before, which a
    browser may still send; said: field → why what was typed there was not taken; moved: the sections whose entries were
    counted anew; saving: whether Save was pressed.
    """

    drafts: dict[Address, Draft] = field(default_factory=dict)
    address: Address = ("", "", "")
    given: dict[str, Any] = field(default_factory=dict)
    taken: dict[str, list[Any]] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    moved: list[Key] = field(default_factory=list)
    saving: bool = False

    @property
    def draft(self) -> Draft:
        return self.drafts[self.address]

    @property
    def document(self) -> Document | None:
        """What the draft says; None while it is no YAML."""
        try:
            return read_text(self.draft.text).data
        except DocumentError:
            return None

    def keep(self, draft: Draft) -> None:
        """Let the draft be another."""
        self.drafts[self.address] = draft

    def keep_document(self, document: Document) -> None:
        """Let the draft say something else, with as much of its text as can stay."""
        self.keep(replace(self.draft, text=rewritten(self.draft.text, document)))

    def forget(self) -> None:
        """Begin anew at this address."""
        self.keep(_begun(*self.address))


def open_editor() -> Editor:
    """The session's editor, at the draft that the address asks for: kept from before, or begun now.

    ``from``: a domain by its name, or NAME@VERSION; ``copy``: under another name; ``start=example``: the commented one.
    RequestError where the origin is not there.
    """
    editor: Editor = st.session_state.setdefault(_EDITOR, Editor())
    query: Any = st.query_params
    address = (str(query.get("from", "")), str(query.get("copy", "")), str(query.get("start", "")))
    if address not in editor.drafts:
        editor.drafts[address] = _begun(*address)
    if address != editor.address:
        editor.given, editor.taken, editor.fields = {}, {}, {}
    editor.address = address
    return editor


def _begun(origin: str, copied: str, start: str) -> Draft:
    if origin:
        return _from_domain(origin, copied=bool(copied))
    if start == "example":
        text = Path(domains.__file__ or "").with_name("starting.yaml").read_text(encoding="utf-8")
        return Draft(text, began="the commented example")
    return Draft(BLANK, began="a blank document")


def _from_domain(origin: str, *, copied: bool) -> Draft:
    """A copy under another name; of an own domain that is not copied, the next version under its own name."""
    plain = origin.partition("@")[0]
    if taken_name(plain):
        original = find(plain)
        return Draft(_named(original.text, f"my-{plain}"), attachments(original), f"a copy of {plain}")
    recorded = own_domain(open_database(), origin)
    if copied:
        return Draft(_named(recorded.text, f"{plain}-copy"), recorded.attachments, f"a copy of {origin}")
    return Draft(recorded.text, recorded.attachments, f"the next version of {plain}")


def _named(text: str, name: str) -> str:
    return re.sub(r"(?m)^name:.*$", f"name: {name}", text, count=1)
