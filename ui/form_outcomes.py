"""The part of the form for what comes back from an experiment."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from domains.places import get, put, remove
from domains.reading import Key
from domains.validation.families import OUTCOMES
from ui.field_kinds import BOUND, FORMULAS
from ui.form_fields import Form
from ui.plain_edits import Document, free_name

_LIST = ("outcomes",)
_FAMILIES = {
    "normal": "a number with normal noise",
    "lognormal": "a positive number, noise in proportion",
    "studentt": "a number with outliers (Student's t)",
    "bernoulli": "yes or no (1 or 0)",
    "binomial": "so many of n",
    "poisson": "a count (Poisson)",
    "negative_binomial": "a count that scatters more (negative binomial)",
    "categorical": "one of several options (0, 1, …)",
    "beta": "a share between 0 and 1 (beta)",
    "gamma": "a positive number (gamma)",
    "exponential": "a waiting time (exponential)",
    "logitnormal": "a share, normal in the logit",
}
_STARTS: Mapping[str, Any] = {
    "mean": "expected", "sd": 0.1, "mu": "log(expected)", "sigma": 0.1, "df": 4, "scale": 0.1, "p": 0.5, "n": 10,
    "rate": "expected", "dispersion": 5, "concentration": 10, "shape": 4,
}  # fmt: skip
_HELP = {
    "mean": "What the laws expect: a formula that every law has.",
    "sd": "The standard deviation of one reading; a number, an unknown or a formula.",
    "p": "A probability, between 0 and 1.",
    "n": "Of how many; a whole number or an integer design.",
    "mu": "The expected logarithm.",
    "dispersion": "The smaller, the wilder: variance = mean + mean²/dispersion.",
}
_UNCENSORED = ("bernoulli", "categorical")


def show_outcomes(form: Form) -> None:
    """Every outcome with its noise and unit."""
    st.subheader("What comes back")
    st.caption("What is measured, and how a measurement scatters about what a law expects.")
    form.entries(_LIST, "Outcome", _outcome)
    form.button(_LIST, "Add an outcome", _add)


def _outcome(form: Form, path: Key, label: str) -> None:
    entry = form.at(path)
    found = [key for key in entry if key in OUTCOMES] if isinstance(entry, dict) else []
    first, second = st.columns(2)
    with first:
        form.name(path, f"{label}: name")
    if len(found) == 1:
        with second:
            form.choice(path, f"{label}: noise", list(_FAMILIES), found[0], _change_family,
                        words=_FAMILIES.__getitem__)  # fmt: skip
        _arguments(form, (*path, found[0]), label)
    elif "python" in form.document:
        st.caption("The Python laws say how it comes about.")
    if isinstance(entry, dict):
        form.described(path, label, unit="mM/min", what="initial velocity")
    if len(found) == 1 and found[0] not in _UNCENSORED:
        _bounds(form, path, label)
    form.errors(path)
    form.remover(path, f"Remove {label.lower()}")


def _arguments(form: Form, path: Key, label: str) -> None:
    family = str(path[-1])
    if family == "categorical":
        form.field((*path, "p"), f"{label}: probabilities, one a line", FORMULAS, area=True, help="They sum to 1.")
        return
    names = [name for name, _ in OUTCOMES[family]]
    for column, name in zip(st.columns(len(names)), names, strict=True):
        with column:
            form.field((*path, name), f"{label}: {name}", help=_HELP.get(name, ""))


def _bounds(form: Form, path: Key, label: str) -> None:
    """The instrument's bounds: a list of two, either of which may be absent."""
    censor = form.at((*path, "censor"))
    with st.expander(f"{label}: the instrument shows no value beyond bounds", expanded=censor is not None):
        if censor is None:
            form.button((*path, "censor"), f"{label}: add bounds", _add_bounds)
        else:
            low, high = st.columns(2)
            with low:
                form.field((*path, "censor", 0), f"{label}: lowest that it shows", BOUND, placeholder="none")
            with high:
                form.field((*path, "censor", 1), f"{label}: highest that it shows", BOUND, placeholder="none")
            form.errors((*path, "censor"))
            form.remover((*path, "censor"), f"{label}: remove bounds")


def _add_bounds(document: Document, path: Key) -> Document:
    return put(document, path, [0, None])


def _add(document: Document, path: Key) -> Document:
    taken = get(document, path) or {}
    laws = document.get("mechanisms")
    first = next(iter(laws.values()), None) if isinstance(laws, dict) else None
    let = first.get("let") if isinstance(first, dict) else None
    mean = next(iter(let), "expected") if isinstance(let, dict) else "expected"
    return put(document, (*path, free_name(taken, "outcome")), {"normal": {"mean": mean, "sd": 0.1}})


def _change_family(document: Document, path: Key, family: str) -> Document:
    """Another family; an argument that both have stays, and so does what the old one was about."""
    entry = dict(get(document, path))
    old = next(key for key in entry if key in OUTCOMES)
    before = entry.pop(old)
    before = before if isinstance(before, dict) else {}
    arguments: dict[str, Any] = {name: before.get(name, _STARTS[name]) for name, _ in OUTCOMES[family]}
    if family == "categorical":
        arguments = {"p": [0.5, 0.5]}
    elif isinstance(arguments.get("p"), list):
        arguments["p"] = 0.5
    changed = put(document, path, {family: arguments, **entry})
    return remove(changed, (*path, "censor")) if family in _UNCENSORED else changed
