"""The fields of the form for a domain: each shows one place of the document, writes what is typed there, and says below
itself what the loader has against it.

The document is what holds: before a field is drawn it is given the document's value, and a change goes to the document
first. Places count entries and never name them: a field stays the same while its entry is renamed, and when a browser
sends several changes at once, each finds its place in the document that the one before has made.

Somebody who types fast sends a change before the browser has been told what the one before did to other fields; these
then come back as they were, which is no change of theirs. `echoed` tells it by the values that were taken from a field.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from domains.errors import Problem
from domains.reading import Key, render
from ui.domain_draft import current_draft, keep_document, read_draft
from ui.field_kinds import FORMULA, WORDS, Kind
from ui.plain_edits import NAMED, Document, get, put, remove, rename
from ui.wording import message_markdown, plain

_TAKEN = "draft.taken"  # key of a field → the values it had before the document gave it others
_SAID = "draft.said"  # key of a field → why what was typed there was not taken
Choose = Callable[[Document, Key, str], Document]
Press = Callable[[Document, Key], Document]
_CANNOT = "This part is written in a way that the form cannot show. It is kept as it is; change it in the document."


@dataclass
class Form:
    """A document and its problems; those that a field has shown are taken from the list."""

    document: Document
    problems: list[Problem]

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
        give(key, shown)
        draw: Callable[..., Any] = st.text_area if long else st.text_input
        more: dict[str, Any] = {"height": "content"} if long else {}
        draw(label, key=key, help=help or None, placeholder=placeholder or None, on_change=_write,
             args=(key, self.place(path), kind, optional), **more)  # fmt: skip
        self.errors(path)

    def words(self, path: Key, label: str, **more: Any) -> None:
        """A field for an optional text."""
        self.field(path, label, WORDS, optional=True, **more)

    def name(self, path: Key, label: str, help: str = "", *, alone: bool = True) -> None:
        """A field for the name of an entry; it is renamed in formulas too. alone: no other field stands for the entry
        itself, so that what is wrong with it is said here."""
        key = f"{self.key(path)}.name"
        give(key, str(path[-1]))
        st.text_input(label, key=key, help=help or None, on_change=_rename, args=(key, self.place(path)))
        if message := st.session_state.get(_SAID, {}).get(key):
            st.caption(f":red[✕ {plain(message)}]")
        for problem in [problem for problem in self.problems if alone and problem.path == render(path)]:
            self._say(problem)

    def choice(
        self, path: Key, label: str, options: Sequence[str], value: str, change: Choose, *, suffix: str = "which",
        words: Callable[[str], str] = str, help: str = "",
    ) -> None:  # fmt: skip
        """A choice; ``change`` gives the document that another choice makes."""
        key = f"{self.key(path)}.{suffix}"
        give(key, value)
        st.selectbox(label, options, key=key, format_func=words, help=help or None, on_change=_choose,
                     args=(key, self.place(path), change))  # fmt: skip

    def button(self, path: Key, label: str, change: Press, *, suffix: str = "add", help: str = "") -> None:
        """A button that changes the document."""
        key = f"{self.key(path)}.{suffix}"
        st.button(label, key=key, help=help or None, on_click=_press, args=(self.place(path), change))

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


def give(key: str, value: Any) -> None:
    """Give a field the document's value; one that has it already is left alone, and so is what is being typed in it."""
    taken = st.session_state.setdefault(_TAKEN, {})
    if key not in st.session_state:
        st.session_state[key] = value
    elif st.session_state[key] == value:
        taken.pop(key, None)  # the browser has it
    else:
        taken.setdefault(key, []).append(st.session_state[key])
        st.session_state[key] = value


def echoed(key: str) -> bool:
    """Whether a field says again what was taken from it, since the browser had not been told yet."""
    return st.session_state[key] in st.session_state.get(_TAKEN, {}).get(key, [])


def _there(place: Key) -> tuple[Document, Key] | None:
    """The document of the draft and a place's path in it; None where either is no more."""
    st.session_state[_SAID] = {}
    document = read_draft(current_draft()).document
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


def _write(key: str, place: Key, kind: Kind, optional: bool) -> None:
    there, text = _there(place), str(st.session_state[key] or "")
    if there is not None and not echoed(key):
        empty = optional and not text.strip()
        keep_document(remove(*there) if empty else put(*there, kind.read(text)))


def _rename(key: str, place: Key) -> None:
    there, new = _there(place), str(st.session_state[key] or "").strip()
    if there is None or new == there[1][-1] or echoed(key):
        return
    document, path = there
    if new in (get(document, path[:-1]) or {}):
        st.session_state[_SAID] = {key: f"there is a {new!r} already; choose another name"}
        return
    keep_document(rename(document, path, new))


def _choose(key: str, place: Key, change: Choose) -> None:
    if (there := _there(place)) is not None and not echoed(key):
        keep_document(change(*there, str(st.session_state[key])))


def _press(place: Key, change: Press) -> None:
    if (there := _there(place)) is not None:
        keep_document(change(*there))
