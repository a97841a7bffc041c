"""The fields of the form for a domain: each shows one place of the document, writes what is typed there, and says below
itself what the loader has against it.

The document is what holds. Before a page is drawn, ``take_changes`` compares every field with what it was given, and
writes what somebody changed into the document; then each field is given the document's value. No change hangs on a
callback, which Streamlit breaks off when the next change comes in. Places count entries and never name them: a field
stays the same while its entry is renamed, and each of several changes finds its place in what the one before made.

Somebody who types fast sends a change before the browser has been told what the one before did to other fields; these
then come back as they were, which is no change of theirs. It is told by the values that were taken from a field.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st

from domains.errors import Problem
from domains.places import get, put, remove
from domains.reading import Key, render
from ui.domain_draft import Editor
from ui.field_kinds import FORMULA, WORDS, Kind
from ui.plain_edits import NAMED, Document, rename
from ui.wording import message_markdown, plain

Choose = Callable[[Document, Key, str], Document]
Apply = Callable[[Document, Key, str], "Document | str"]  # the document that a change makes, or why it makes none
Press = Callable[[Document, Key], Document]
_CANNOT = "This part is written in a way that the form cannot show. It is kept as it is; change it in the document."


@dataclass
class Form:
    """A document and its problems; those that a field has shown are taken from the list."""

    editor: Editor
    document: Document
    problems: list[Problem]
    drawn: set[str] = field(default_factory=set)

    def at(self, path: Key) -> Any:
        return get(self.document, path)

    def field(
        self, path: Key, label: str, kind: Kind = FORMULA, *, optional: bool = False, area: bool = False,
        help: str = "", placeholder: str = "",
    ) -> None:  # fmt: skip
        """A field for the value at a place; an empty optional one takes the key away."""
        value = self.at(path)
        if not kind.fits(value):
            key = f"{self.key(path)}.kept"
            st.text_input(label, key=key, disabled=True, placeholder="see the document", help=_CANNOT)
            self.errors(path)
            return
        shown = "" if value is None else kind.show(value)
        long = area or "\n" in shown
        key = f"{self.key(path)}{'.area' if long else ''}"
        self._register(key, path, partial(_write, kind, optional), shown)
        draw: Callable[..., Any] = st.text_area if long else st.text_input
        more: dict[str, Any] = {"height": "content"} if long else {}
        draw(label, key=key, help=help or None, placeholder=placeholder or None, **more)
        self.errors(path)

    def words(self, path: Key, label: str, **more: Any) -> None:
        """A field for an optional text."""
        self.field(path, label, WORDS, optional=True, **more)

    def name(self, path: Key, label: str, help: str = "", *, alone: bool = True) -> None:
        """A field for the name of an entry; it is renamed in formulas too. alone: no other field stands for the entry
        itself, so that what is wrong with it is said here."""
        key = f"{self.key(path)}.name"
        self._register(key, path, _rename, str(path[-1]))
        st.text_input(label, key=key, help=help or None)
        if message := self.editor.said.get(key):
            st.caption(f":red[✕ {plain(message)}]")
        for problem in [problem for problem in self.problems if alone and problem.path == render(path)]:
            self._say(problem)

    def choice(
        self, path: Key, label: str, options: Sequence[str], value: str, change: Choose, *, suffix: str = "which",
        words: Callable[[str], str] = str, help: str = "",
    ) -> None:  # fmt: skip
        """A choice; ``change`` gives the document that another choice makes."""
        key = f"{self.key(path)}.{suffix}"
        self._register(key, path, change, value)
        st.selectbox(label, options, key=key, format_func=words, help=help or None)

    def button(self, path: Key, label: str, change: Press, *, suffix: str = "add", help: str = "") -> None:
        """A button that changes the document."""
        key = f"{self.key(path)}.{suffix}"
        st.button(label, key=key, help=help or None, on_click=_press, args=(self.editor, self.place(path), change))

    def remover(self, path: Key, label: str) -> None:
        """A button that takes an entry away."""
        self.button(path, label, remove, suffix="remove")

    def mapping(self, path: Key) -> dict[str, Any]:
        """The entries of a section; where it is not one, a word on that, and none."""
        value = self.at(path)
        if value is None or isinstance(value, dict):
            return value or {}
        st.info(_CANNOT)
        self.errors(path)
        return {}

    def entries(self, path: Key, label: str, draw: Callable[["Form", Key, str], None]) -> None:
        """Every entry of a section in a frame of its own, numbered; and what is wrong with the section itself."""
        for number, name in enumerate(self.mapping(path), 1):
            with st.container(border=True):
                draw(self, (*path, name), f"{label} {number}")
        self.errors(path)

    def described(self, path: Key, label: str, *, unit: str, what: str) -> None:
        """An entry's unit, and what it is, beside each other; unit, what: examples of them."""
        first, second = st.columns(2)
        with first:
            self.words((*path, "unit"), f"{label}: unit", placeholder=unit)
        with second:
            self.words((*path, "label"), f"{label}: what it is", placeholder=what)

    def errors(self, path: Key) -> None:
        """What is wrong at a place and below it, where no field has said it yet."""
        place = render(path)
        for problem in [problem for problem in self.problems if _below(problem, place)]:
            deeper = problem.path.removeprefix(place).lstrip(".")
            self._say(problem, f"{deeper}: " if deeper else "")

    def wrong(self, path: Key) -> bool:
        """Whether anything at a place or below it is wrong and not yet said."""
        return any(_below(problem, render(path)) for problem in self.problems)

    def _say(self, problem: Problem, where: str = "") -> None:
        self.problems.remove(problem)
        st.caption(f":red[✕ {plain(where)}{message_markdown(problem.message)}]")

    def _register(self, key: str, path: Key, apply: Apply, value: str) -> None:
        self.editor.fields[key] = (self.place(path), apply)
        self.drawn.add(key)
        give(self.editor, key, value)

    def finish(self) -> None:
        """Forget the fields that are no more."""
        self.editor.fields = {key: kept for key, kept in self.editor.fields.items() if key in self.drawn}

    def place(self, path: Key) -> Key:
        """A path with entries counted instead of named."""
        steps: list[str | int] = []
        for depth, step in enumerate(path):
            above = self.at(path[:depth])
            counted = depth > 0 and path[depth - 1] in NAMED and isinstance(above, dict) and step in above
            steps.append(list(above).index(step) if counted else step)
        return tuple(steps)

    def key(self, path: Key) -> str:
        """The key of a place's field: ``form.designs.0.unit``."""
        return f"form.{'.'.join(map(str, self.place(path)))}"


def _below(problem: Problem, place: str) -> bool:
    return not place or problem.path == place or problem.path.startswith((f"{place}.", f"{place}["))


def give(editor: Editor, key: str, value: Any) -> None:
    """Give a field the document's value; one that has it already is left alone, and so is what is being typed in it."""
    has = st.session_state.get(key)
    if has == value:
        editor.taken.pop(key, None)  # the browser has it
    else:
        if has is not None:
            editor.taken.setdefault(key, []).extend((has, editor.given.get(key)))
        st.session_state[key] = value
    editor.given[key] = value


def changed(editor: Editor, key: str) -> str | None:
    """What somebody typed into a field since it was given a value; None where nobody did."""
    has = st.session_state.get(key)
    if has is None or key not in editor.given or has == editor.given[key] or has in editor.taken.get(key, []):
        return None
    return str(has)


def take_changes(editor: Editor) -> None:
    """Write what was changed in fields into the document, before anything is drawn."""
    for key, (place, apply) in list(editor.fields.items()):
        typed = changed(editor, key)
        if typed is None or any(place[: len(section)] == section for section in editor.moved):
            continue
        editor.given[key] = typed
        there = _there(editor, place)
        if there is not None:
            made = apply(*there, typed)
            editor.said = {key: made} if isinstance(made, str) else {}
            if not isinstance(made, str):
                editor.keep_document(made)
    editor.moved.clear()


def _there(editor: Editor, place: Key) -> tuple[Document, Key] | None:
    """The document of the draft and a place's path in it; None where either is no more."""
    document = editor.document
    if document is None:
        return None
    path: Key = ()
    for step in place:
        here = get(document, path)
        if isinstance(step, int) and isinstance(here, dict):
            if step >= len(here):
                return None
            path = (*path, list(here)[step])
        else:
            path = (*path, step)
    return document, path


def _write(kind: Kind, optional: bool, document: Document, path: Key, text: str) -> Document:
    empty = optional and not text.strip()
    return remove(document, path) if empty else put(document, path, kind.read(text))


def _rename(document: Document, path: Key, text: str) -> Document | str:
    new = text.strip()
    if new == path[-1]:
        return document
    if new in (get(document, path[:-1]) or {}):
        return f"there is a {new!r} already; choose another name"
    return rename(document, path, new)


def _press(editor: Editor, place: Key, change: Press) -> None:
    """What a button does. It runs before anything else and touches the editor alone, so that nothing breaks it off."""
    if (there := _there(editor, place)) is not None:
        editor.said = {}
        editor.keep_document(change(*there))
        if change is remove:
            editor.moved.append(place[:-1])
