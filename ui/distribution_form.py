"""The form of a task distribution: what stands in its text, each value at its place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from domains.places import get
from domains.reading import Key
from orchestrator import services
from orchestrator.distributions import Problem, fields_of_domains
from orchestrator.yaml_edits import appended, changed, removed
from ui.distribution_fields import (
    OF_DOMAINS,
    OF_RANDOM_DOMAINS,
    OF_RECIPE,
    OF_STAGES,
    OF_TABLES,
    Field,
    read_widget,
    show_widget,
)
from ui.wording import message_markdown

_NEW: dict[str, dict[str, Any]] = {
    "tables": {"weight": 0.5, "hypotheses": [12], "designs": [5], "outcomes": [2], "experiments": [2, 3]},
    "random-domains": {"weight": 0.5, "seeds": [0, 400]},
    "domains": {"weight": 0.5, "names": ["enzyme-kinetics"]},
}
_TITLES = {"tables": "Random tables", "random-domains": "Random domains", "domains": "Domains by name"}
_FIELDS = {"tables": OF_TABLES, "random-domains": OF_RANDOM_DOMAINS, "domains": OF_DOMAINS}


@dataclass(frozen=True)
class Draft:
    """A text being edited. key: of the document's field; original: what it began as."""

    key: str
    original: str

    @property
    def text(self) -> str:
        """As it is now; kept when the field is not on the page."""
        return str(st.session_state.get(self._kept, self.original))

    def typed(self) -> None:
        """The document's field was changed."""
        st.session_state[self._kept] = st.session_state[self.key]

    def put(self, text: str) -> None:
        """The form has changed it."""
        st.session_state[self._kept] = st.session_state[self.key] = text

    def forget(self) -> None:
        """Drop what was changed."""
        for key in (self._kept, self.key):
            st.session_state.pop(key, None)

    @property
    def _kept(self) -> str:
        return f"{self.key}.kept"


@dataclass(frozen=True)
class _Form:
    """A draft, what stands in it, and what is wrong with it."""

    draft: Draft
    data: dict[str, Any]
    problems: Sequence[Problem]

    def field(self, place: Key, field: Field) -> None:
        """A value at its place, and what is wrong with it."""
        key = ".".join(map(str, (self.draft.key, *place)))
        show_widget(field, key, get(self.data, place), on_change=self._writer(place, field, key))
        for problem in self.problems:
            if problem.place[: len(place)] == place:
                st.error(message_markdown(problem.words), icon=":material/error:")

    def _writer(self, place: Key, field: Field, key: str) -> Callable[[], None]:
        def write() -> None:
            value = read_widget(field, key)
            if value is not None:
                self.draft.put(changed(self.draft.text, place, value))

        return write


def show_form(draft: Draft, data: dict[str, Any], problems: Sequence[Problem]) -> None:
    """Everything that most distributions need; the rest stands in the document."""
    form = _Form(draft, data, problems)
    for field in OF_RECIPE:
        form.field((field.name,), field)
    for kind in _NEW:
        _parts(form, kind)
    _held_out(form)
    with st.expander("How long, and how"):
        for field in OF_STAGES:
            form.field(field.path, field)


def _parts(form: _Form, kind: str) -> None:
    found = form.data.get(kind)
    parts = found if isinstance(found, list) else []
    st.markdown(f"**{_TITLES[kind]}**")
    for index, part in enumerate(parts):
        weight = part.get("weight", 1.0) if isinstance(part, dict) else "?"
        with st.expander(f"{_TITLES[kind]} {index + 1}, weight {weight}", expanded=kind == "domains"):
            for field in _FIELDS[kind]:
                form.field((kind, index, field.name), field)
            key = f"{form.draft.key}.{kind}.{index}.remove"
            st.button("Take this part out", key=key, on_click=_taken_out(form.draft, kind, index))
    st.button(f"Add {_TITLES[kind].lower()}", key=f"{form.draft.key}.{kind}.add", on_click=_added(form.draft, kind))


def _added(draft: Draft, kind: str) -> Callable[[], None]:
    return lambda: draft.put(appended(draft.text, kind, _NEW[kind]))


def _taken_out(draft: Draft, kind: str, index: int) -> Callable[[], None]:
    return lambda: draft.put(removed(draft.text, kind, index))


def _held_out(form: _Form) -> None:
    st.markdown("**Held out**")
    names = services.domain_names()
    fields = tuple(sorted(set(_fields().values())))
    help_ = "Never trained on, so that results there are of what was not seen."
    form.field(("held-out", "domains"), Field("domains", "choices", "Domains held out", help_, (), tuple(names)))
    form.field(("held-out", "fields"), Field("fields", "choices", "Whole fields held out", help_, (), fields))


@st.cache_data(show_spinner=False)
def _fields() -> dict[str, str]:
    """The field of every domain of the catalogue: they do not change while the pages run."""
    return fields_of_domains(tuple(services.domain_names()))
