"""The part of the form for what is unknown: a picker of priors that draws the density as one changes it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from domains.document import Parameter, Prior
from domains.errors import DomainError
from domains.expressions import Expression, number, parse
from domains.places import get, put
from domains.reading import Key, core_scalar
from domains.validation.families import PRIORS
from ui.domain_priors import draw_prior, in_words
from ui.field_kinds import NUMBERS, WEIGHTS
from ui.form_fields import Form
from ui.plain_edits import Document, free_name

_KNOWN = "known"
_FAMILIES = {
    _KNOWN: "known: a number",
    "normal": "normal: about a value",
    "lognormal": "lognormal: positive, up to a factor",
    "halfnormal": "half-normal: positive, near zero",
    "uniform": "uniform: anywhere between two values",
    "loguniform": "log-uniform: positive, any order of magnitude between two values",
    "beta": "beta: a share between 0 and 1",
    "gamma": "gamma: positive",
    "exponential": "exponential: positive, mostly small",
    "studentt": "Student's t: about a value, with outliers",
    "dirichlet": "Dirichlet: several shares that sum to 1",
    "categorical": "categorical: one of some numbers",
    "poisson": "Poisson: a count",
}
_STARTS: Mapping[str, Any] = {
    "normal": [0, 1], "lognormal": [0, 0.5], "halfnormal": [1], "uniform": [0, 1], "loguniform": [0.1, 10],
    "beta": [2, 2], "gamma": [2, 1], "exponential": [1], "studentt": [4, 0, 1], "dirichlet": [1, 1],
    "categorical": {"1": 0.5, "2": 0.5}, "poisson": [3],
}  # fmt: skip
_HELP = {
    "mean": "The value it lies about.",
    "sd": "Standard deviation: two times in three it lies within so much of the mean.",
    "mu": "The logarithm of the median: 0 is a median of 1, 0.7 of 2, 2.3 of 10.",
    "sigma": "0.5 means: within a factor of 2.3 of the median, nine times in ten; 1 means within a factor of 5.",
    "scale": "How far it reaches.",
    "df": "Degrees of freedom: the fewer, the more outliers.",
    "shape": "The larger, the narrower about shape ÷ rate.",
    "rate": "One over the typical size; of a count, its mean.",
}
_UNCUT = ("dirichlet", "categorical")


def show_unknowns(form: Form, path: Key, label: str) -> None:
    """Every entry under ``parameters`` at a place; ``label`` begins each name: ``Unknown`` or ``Law 1: unknown``."""
    form.entries(path, label, _unknown)
    form.button(path, "Add an unknown" if len(path) == 1 else f"{label.partition(':')[0]}: add an unknown", _add,
                help="A number that is not known, with what you would bet on before any experiment.")  # fmt: skip


def _unknown(form: Form, path: Key, label: str) -> None:
    entry = form.at(path)
    family = _family(entry)
    wrong = form.wrong(path)
    left, right = st.columns([3, 2])
    with left:
        form.name(path, f"{label}: name", alone=family != _KNOWN)
        if family is not None:
            form.choice(path, f"{label}: prior", list(_FAMILIES), family, _change_family, words=_FAMILIES.__getitem__)
            _numbers(form, path, family, label)
    if family not in (None, _KNOWN):
        with right:
            _drawn(form, path, entry, wrong=wrong)
        form.described(path, label, unit="mM", what="half-saturation concentration")
    form.errors(path)
    form.remover(path, f"Remove {label[0].lower()}{label[1:]}")


def _family(entry: Any) -> str | None:
    """The family of an entry's prior, ``known`` for a number; None for what the form cannot show."""
    prior = entry.get("prior") if isinstance(entry, dict) else None
    if isinstance(prior, dict):
        found = [key for key in prior if key in PRIORS]
        return found[0] if len(found) == 1 else None
    return None if isinstance(entry, dict | list) else _KNOWN


def _numbers(form: Form, path: Key, family: str, label: str) -> None:
    place = (*path, "prior", family)
    if family == _KNOWN:
        form.field(path, f"{label}: value", help="A number; for an unknown choose a prior instead.")
    elif family == "dirichlet":
        form.field(place, f"{label}: concentrations, by commas", NUMBERS, help="One a share; equal ones favour none.")
    elif family == "categorical":
        form.field(place, f"{label}: values with weights", WEIGHTS, placeholder="1: 0.5, 2: 0.25, 4: 0.25")
    else:
        names = [name for name, _ in PRIORS[family]]
        for column, (index, name) in zip(st.columns(len(names)), enumerate(names), strict=True):
            with column:
                form.field((*place, index), f"{label}: {name}", help=_HELP.get(name, ""))
    form.errors(place)
    if family not in (_KNOWN, *_UNCUT):
        low, high = st.columns(2)
        with low:
            form.field((*path, "prior", "low"), f"{label}: not below", optional=True, placeholder="no bound")
        with high:
            form.field((*path, "prior", "high"), f"{label}: not above", optional=True, placeholder="no bound")


def _drawn(form: Form, path: Key, entry: Any, *, wrong: bool) -> None:
    parameter = None if wrong else read_parameter(str(path[-1]), entry)
    if parameter is None:
        st.caption("Its density is drawn here once its numbers are in order.")
        return
    constants = known_numbers(form.document, path)
    draw_prior(parameter, constants, key=form.key(path))
    st.caption(in_words(parameter, constants).replace("*", "\\*").replace("_", "\\_"))


def read_parameter(name: str, entry: Any) -> Parameter | None:
    """An unknown as the document would have it, None where a part of it is no expression."""
    prior = entry["prior"]
    family = next(key for key in prior if key in PRIORS)
    written = prior[family]
    values = written.values() if isinstance(written, dict) else written
    try:
        arguments = tuple(map(_expression, values))
        low, high = (_expression(prior[key]) if key in prior else None for key in ("low", "high"))
        points = tuple(float(key) for key in written) if isinstance(written, dict) else ()
    except (DomainError, TypeError, ValueError):
        return None
    size = len(arguments) if family == "dirichlet" else 0
    unit, label = (str(entry.get(key) or "") for key in ("unit", "label"))
    return Parameter(name, Prior(family, arguments, low, high, points), size=size, unit=unit, label=label)


def known_numbers(document: Document, path: Key) -> dict[str, float]:
    """The constants that a prior at this place may use: the shared ones, and those of its own law."""
    shared, own = document.get("parameters"), get(document, path[:-1])
    entries = {**(shared if isinstance(shared, dict) else {}), **(own if isinstance(own, dict) else {})}
    return {name: float(v) for name, v in entries.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def _expression(value: Any) -> Expression:
    found = core_scalar(str(value))
    return number(found) if isinstance(found, int | float) and not isinstance(found, bool) else parse(str(value))


def _add(document: Document, path: Key) -> Document:
    taken = get(document, path) or {}
    shared = document.get("parameters")
    name = free_name({**(shared if isinstance(shared, dict) else {}), **taken}, "unknown")
    return put(document, (*path, name), {"prior": {"lognormal": [0, 0.5]}})


def _change_family(document: Document, path: Key, family: str) -> Document:
    """Another family, with numbers to begin with; unit, label and bounds stay where they can."""
    entry = get(document, path)
    if family == _KNOWN:
        return put(document, path, 1)
    rest = {key: value for key, value in entry.items() if key != "prior"} if isinstance(entry, dict) else {}
    old = entry["prior"] if isinstance(entry, dict) else {}
    bounds = {} if family in _UNCUT else {key: old[key] for key in ("low", "high") if key in old}
    return put(document, path, {"prior": {family: _STARTS[family], **bounds}, **rest})
