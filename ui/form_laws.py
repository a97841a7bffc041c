"""The part of the form for the rival laws: their names, weights and formulas, shown as mathematics as one types."""

from typing import Any

import streamlit as st

from domains.errors import DomainError
from domains.expressions import parse
from domains.latex import aligned
from domains.mathematics import latex_name, to_latex
from domains.places import get, put
from domains.reading import Key
from ui.form_fields import Form
from ui.form_unknowns import show_unknowns
from ui.plain_edits import Document, free_name

_LAWS = ("mechanisms",)
_HELP = (
    "Formulas are written as `vmax * substrate / (km + substrate)`, with `**` for powers and functions such as `exp`, "
    "`log`, `sqrt`, `min`, `max` and `where(condition, yes, no)`. They may use designs, unknowns and other formulas."
)
_KEPT = "Differential equations of this law stand in the document, and are kept; change them there."


def show_laws(form: Form) -> None:
    """What all laws share, then each law; every one of them names what the outcomes use."""
    st.subheader("The rival laws")
    st.caption(_HELP)
    with st.expander("Formulas that all laws share", expanded=bool(form.at(("let",)))):
        _formulas(form, ("let",), "Shared formula", "Add a shared formula")
    if form.at(("dynamics",)) is not None:
        st.info("Differential equations that all laws share stand in the document, and are kept; change them there.")
        form.errors(("dynamics",))
    form.entries(_LAWS, "Law", _law)
    form.button(_LAWS, "Add a law", _add_law, help="One more candidate, with the same formulas to fill in.")


def _law(form: Form, path: Key, label: str) -> None:
    entry = form.at(path)
    first, second = st.columns([2, 1])
    with first:
        form.name(path, f"{label}: name", help="Letters, digits and -.")
    if entry is not None and not isinstance(entry, dict):
        form.mapping(path)  # says that the form cannot show it
    else:
        with second:
            form.field((*path, "weight"), f"{label}: weight", optional=True, placeholder="1",
                       help="How likely it is before any experiment, against the others.")  # fmt: skip
        _formulas(form, (*path, "let"), f"{label}: formula", f"{label}: add a formula")
        with st.expander(f"{label}: unknowns of its own, and a label", expanded=_has_own(entry)):
            form.words((*path, "label"), f"{label}: label", placeholder="its name for people")
            show_unknowns(form, (*path, "parameters"), f"{label}: unknown")
        if isinstance(entry, dict) and "dynamics" in entry:
            st.info(_KEPT)
    form.errors(path)
    form.remover(path, f"Remove {label.lower()}")


def _has_own(entry: Any) -> bool:
    return isinstance(entry, dict) and bool(entry.get("parameters") or entry.get("label"))


def _formulas(form: Form, path: Key, label: str, add: str) -> None:
    """Named formulas, each with its mathematics below it."""
    for number, name in enumerate(form.mapping(path), 1):
        here = (*path, name)
        first, second = st.columns([3, 6])
        with first:
            form.name(here, f"{label} {number}: name", alone=False)
        with second:
            form.field(here, f"{label} {number}")
        _mathematics(str(name), form.at(here))
        form.remover(here, f"Remove {label[0].lower()}{label[1:]} {number}")
    form.errors(path)
    form.button(path, add, _add_formula)


def _mathematics(name: str, formula: Any) -> None:
    try:
        expression = parse(str(formula))
    except DomainError:
        return
    st.latex(aligned([(latex_name(name), f"= {to_latex(expression)}")]))


def _add_formula(document: Document, path: Key) -> Document:
    taken = get(document, path) or {}
    name = "expected" if "expected" not in taken and len(path) > 1 else free_name(taken, "formula")
    return put(document, (*path, name), "")


def _add_law(document: Document, path: Key) -> Document:
    """A law with the formulas of the first, empty: outcomes name what every law has."""
    laws = get(document, path)
    laws = laws if isinstance(laws, dict) else {}
    first = next(iter(laws.values()), None)
    let = first.get("let") if isinstance(first, dict) else None
    names = list(let) if isinstance(let, dict) else ["expected"]
    return put(document, (*path, free_name(laws, "law", "-")), {"let": dict.fromkeys(names, "")})
