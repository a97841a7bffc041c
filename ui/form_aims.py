"""The parts of the form for the question itself, and for what is wanted and what it may cost."""

from typing import Any

import streamlit as st

from domains.places import get, put
from domains.reading import Key
from ui.field_kinds import FORMULA, LINES, POINTS, WORDS
from ui.form_fields import Form
from ui.plain_edits import Document
from ui.wording import plain

_GOALS = {
    "learn": "learn everything: which law holds, and every unknown",
    "learn-some": "learn some unknowns",
    "discriminate": "find out which law holds",
    "maximise": "find the settings that give the most",
    "minimise": "find the settings that give the least",
    "predict": "predict what comes back at some settings",
}
_GOAL = ("goal",)
_KEPT = {
    "exchangeable": "parameters that may change places",
    "replays": "tables of real measurements",
    "python": "laws in Python",
}


def show_question(form: Form) -> None:
    """Name, title, field, summary, references."""
    st.subheader("The question")
    form.field(("name",), "Name", WORDS, help="Small letters, digits and -: the name under which it is kept.")
    form.words(("title",), "Title", help="The question in one sentence.")
    form.words(("field",), "Field", placeholder="molecular biology", help="The science it belongs to; lists go by it.")
    with st.expander("Summary and references", expanded=form.wrong(("summary",)) or form.wrong(("references",))):
        form.words(("summary",), "Summary", area=True, help="What the laws leave out, where the priors come from.")
        form.field(("references",), "References, one a line", LINES, optional=True, area=True)


def show_aims(form: Form) -> None:
    """Cost, budget and goal, and what else the document has that is kept."""
    st.subheader("What is wanted, and what it may cost")
    cost, budget = st.columns(2)
    with cost:
        form.field(("cost",), "Cost of one experiment", optional=True, placeholder="1",
                   help="A number, or a formula of the designs, such as 1 + hours / 24.")  # fmt: skip
    with budget:
        form.field(("budget",), "Budget of one run", FORMULA,
                   help="What all experiments of one run may cost: where each costs 1, their number.")  # fmt: skip
    kind = _kind(form.at(_GOAL))
    if kind is None:
        st.info("The goal is written in a way that the form cannot show. Change it in the document.")
    else:
        form.choice(_GOAL, "Goal", list(_GOALS), kind, _change_goal, words=_GOALS.__getitem__)
        _details(form, kind)
    form.errors(_GOAL)
    _kept(form)


def _kind(goal: Any) -> str | None:
    """Which of the goals above a document has."""
    if isinstance(goal, str):
        return goal if goal in ("learn", "discriminate") else None
    keys = list(goal) if isinstance(goal, dict) else []
    if keys == ["learn"]:
        return "learn-some"
    return keys[0] if len(keys) == 1 and keys[0] in ("maximise", "minimise", "predict") else None


def _details(form: Form, kind: str) -> None:
    if kind == "learn-some":
        form.field((*_GOAL, "learn"), "Unknowns to learn, one a line", LINES, area=True,
                   help="Those that every law has; the rest are of no interest.")  # fmt: skip
    elif kind in ("maximise", "minimise"):
        most = "most" if kind == "maximise" else "least"
        form.field((*_GOAL, kind), f"What to get the {most} of",
                   help="A formula that every law has, such as the mean of an outcome, or one of such.")  # fmt: skip
    elif kind == "predict":
        form.field((*_GOAL, kind), "Settings to predict, one a line", POINTS, area=True,
                   placeholder="yield: nitrogen = 100, soil = clay",
                   help="The outcome, a colon, then every design with its value.")  # fmt: skip


def _change_goal(document: Document, path: Key, kind: str) -> Document:
    return put(document, path, kind if kind in ("learn", "discriminate") else _begun(document, kind))


def _begun(document: Document, kind: str) -> dict[str, Any]:
    """A goal of this kind to begin with, of what the document has."""
    if kind == "learn-some":
        unknowns = document.get("parameters")
        names = [n for n, v in unknowns.items() if isinstance(v, dict)] if isinstance(unknowns, dict) else []
        return {"learn": names[:1]}
    outcome = next(iter(_mapping(document.get("outcomes"))), "outcome")
    if kind == "predict":
        designs = _mapping(document.get("designs"))
        return {"predict": {outcome: [{name: _middle(entry) for name, entry in designs.items()}]}}
    family = next(iter(_mapping(get(document, ("outcomes", outcome))).values()), None)
    return {kind: _mapping(family).get("mean", "expected")}


def _middle(design: Any) -> Any:
    values = next(iter(_mapping(design).values()), [0])
    if not isinstance(values, list) or not values:
        return 0
    numbers = [value for value in values if isinstance(value, int | float)]
    if "real" in _mapping(design) and len(numbers) == 2:
        return sum(numbers) / 2
    return values[0]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _kept(form: Form) -> None:
    """What the form does not show is named, with what is wrong there."""
    found = [f"`{key}` ({words})" for key, words in _KEPT.items() if key in form.document]
    if found:
        st.info(f"The document also has {', '.join(found)}: kept as it is, and changed there.")
    for key in _KEPT:
        form.errors((key,))
    replays = _mapping(form.document.get("replays"))
    for name, replay in replays.items():
        columns = _mapping(_mapping(replay).get("columns"))
        told = ", ".join(f"{ours} = {theirs}" for ours, theirs in columns.items())
        st.caption(plain(f"measurements {name}: {_mapping(replay).get('file', '')} ({told})"))
