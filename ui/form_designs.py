"""The part of the form for what the experimenter sets."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from domains.places import get, put, remove
from domains.reading import Key
from ui.field_kinds import FORMULAS, LINES, NUMBERS, OPTIONS
from ui.form_fields import Form
from ui.plain_edits import Document, free_name

_KINDS = {
    "real": "any number in a range",
    "integer": "whole numbers in a range",
    "levels": "only some numbers",
    "choice": "only some words",
}
_STARTS: Mapping[str, Any] = {"real": [0, 1], "integer": [1, 10], "levels": [1, 2], "choice": ["one", "other"]}
_SCALES = {"linear": "differences matter", "log": "factors matter (logarithmic)"}
_LIST = ("designs",)


def show_designs(form: Form) -> None:
    """Every design with its kind, range and unit."""
    st.subheader("What can be set")
    st.caption(
        "The settings of an experiment: doses, times, temperatures, materials. Give each in the unit of the formulas."
    )
    form.entries(_LIST, "Design", _design)
    form.button(_LIST, "Add a design", _add, help="One more thing that the experimenter sets.")
    with st.expander("Conditions that settings must satisfy together", expanded=form.wrong(("constraints",))):
        form.field(
            ("constraints",), "Conditions, one a line", FORMULAS, optional=True, area=True,
            placeholder="substrate + inhibitor <= 25", help="Designs that break one are never proposed.",
        )  # fmt: skip


def _design(form: Form, path: Key, label: str) -> None:
    entry = form.at(path)
    found = [kind for kind in _KINDS if isinstance(entry, dict) and kind in entry]
    first, second = st.columns(2)
    with first:
        form.name(path, f"{label}: name", help="As formulas write it: letters, digits and _.")
    if len(found) == 1:
        with second:
            form.choice(path, f"{label}: kind", list(_KINDS), found[0], _change_kind, words=_KINDS.__getitem__)
        _values(form, (*path, found[0]), label)
        form.described(path, label, unit="mM", what="concentration of the drug")
    form.errors(path)
    form.remover(path, f"Remove {label.lower()}")


def _values(form: Form, path: Key, label: str) -> None:
    kind = path[-1]
    if kind == "levels":
        form.field(path, f"{label}: allowed numbers, by commas", NUMBERS)
    elif kind == "choice":
        commas = any("," in str(option) for option in form.at(path) or [])
        way = "one a line" if commas else "by commas"
        form.field(path, f"{label}: allowed words, {way}", LINES if commas else OPTIONS, area=commas)
    else:
        _range(form, path, label)


def _range(form: Form, path: Key, label: str) -> None:
    low, high, scale = st.columns(3)
    with low:
        form.field((*path, 0), f"{label}: lowest")
    with high:
        form.field((*path, 1), f"{label}: highest")
    with scale:
        place = path[:-1]
        value = form.at((*place, "scale")) or "linear"
        if value in _SCALES:
            form.choice(place, f"{label}: scale", list(_SCALES), value, _change_scale, suffix="scale",
                        words=_SCALES.__getitem__)  # fmt: skip
        form.errors((*place, "scale"))
    form.errors(path)


def _add(document: Document, path: Key) -> Document:
    taken = get(document, path) or {}
    return put(document, (*path, free_name(taken, "design")), {"real": [0, 1]})


def _change_kind(document: Document, path: Key, kind: str) -> Document:
    """Another kind of design with a range of the old one's, where both are numbers."""
    entry = dict(get(document, path))
    old = next(key for key in _KINDS if key in entry)
    values, numeric = entry.pop(old), ("real", "integer")
    if kind in ("levels", "choice"):
        entry.pop("scale", None)
    keep = (old in numeric and kind in (*numeric, "levels")) and isinstance(values, list)
    return put(document, path, {kind: values if keep else _STARTS[kind], **entry})


def _change_scale(document: Document, path: Key, scale: str) -> Document:
    place = (*path, "scale")
    return remove(document, place) if scale == "linear" else put(document, place, scale)
