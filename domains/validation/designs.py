"""Designs, and values given to them elsewhere in a document."""

import math
from typing import Any

from domains.document import Design, DesignKind
from domains.measurements import design_fault
from domains.validation.report import Part, describe, is_number, labels
from domains.validation.scope import UNKNOWN, Known

_KINDS = ("real", "integer", "levels", "choice")
MAX_DESIGNS = 64
MAX_VALUES = 1000
_FORM = "a design is written {real: [low, high]}, {integer: [low, high]}, {levels: [numbers]} or {choice: [texts]}"


def read_designs(part: Part, taken: dict[str, str]) -> dict[str, Design]:
    """All designs by name; their names are entered as taken."""
    designs = {}
    for name, entry in part.entries("designs", most=MAX_DESIGNS).items():
        if entry.declare("a design", taken):
            design = _read_design(name, entry)
            designs[name] = design or Design(name, "real", -math.inf, math.inf)
    return designs


def known_designs(designs: dict[str, Design]) -> dict[str, Known]:
    """What expressions know of the designs."""
    return {
        name: Known("design", length=UNKNOWN if _unread(design) else 0, options=design.options)
        for name, design in designs.items()
    }


def _unread(design: Design) -> bool:
    """Whether the design has a problem of its own, so that nothing more can be said of it."""
    return design.low == -math.inf or (design.kind == "choice" and not design.options)


def fault(design: Design, value: Any, *, ranged: bool = True) -> str | None:
    """Why a value cannot be this design's; ``ranged``: whether it must lie in the range."""
    if design.kind == "choice":
        return design_fault(design, value)
    if not is_number(value):
        return f"{design.name!r} needs a number, found {describe(value)}"
    return design_fault(design, value) if ranged else None


def _read_design(name: str, part: Part) -> Design | None:
    fields = part.fields((*_KINDS, "scale", "unit", "label"), otherwise=_FORM)
    kinds = [kind for kind in _KINDS if kind in fields]
    if len(kinds) != 1:
        if isinstance(part.value, dict):
            part.problem(f"found {' and '.join(kinds) or 'no kind'}; a design has exactly one of {', '.join(_KINDS)}")
        return None
    kind = kinds[0]
    scale = fields["scale"].word(("linear", "log")) if "scale" in fields else "linear"
    if "scale" in fields and kind in ("levels", "choice"):
        fields["scale"].problem(f"a {kind} design has no scale; remove it")
    if kind == "levels":
        return Design(name, "levels", values=_levels(fields[kind]), **labels(fields))
    if kind == "choice":
        return Design(name, "choice", options=_options(fields[kind]), **labels(fields))
    interval = _range(fields[kind], scale)
    if interval is None:
        return None
    low, high = interval
    number: DesignKind = "integer" if kind == "integer" else "real"
    return Design(name, number, low, high, "log" if scale == "log" else "linear", **labels(fields))


def _range(part: Part, scale: str | None) -> tuple[float, float] | None:
    interval = part.interval()
    if interval is None:
        return None
    if scale == "log" and interval[0] <= 0:
        part.problem(f"low is {interval[0]:g}; a log scale needs low > 0")
    if part.key == "integer" and any(bound != math.floor(bound) for bound in interval):
        part.problem(f"found {part.value}; an integer design has whole bounds")
    return interval


def _levels(part: Part) -> tuple[float, ...]:
    values = tuple(item.number() for item in part.items("levels", most=MAX_VALUES))
    if len(set(values)) < len(values):
        part.problem("a level stands twice; keep one")
    return tuple(value for value in values if value is not None)


def _options(part: Part) -> tuple[str, ...]:
    texts = [item.text() for item in part.items("options", most=MAX_VALUES)]
    options = tuple(dict.fromkeys(text for text in texts if text))
    if isinstance(part.value, list) and len(options) < len(part.value) and "" not in texts:
        part.problem("an option stands twice; keep one")
    elif isinstance(part.value, list) and "" in part.value:
        part.problem("an option is empty; options are texts")
    return options
