"""Dynamics: ordinary differential equations, their states, rates and times."""

from domains.document import Dynamics, State
from domains.expressions import Expression
from domains.validation.report import Part
from domains.validation.scope import UNKNOWN, Known, Scope, check_scalar, fold, in_order, read_scalar

MAX_STATES = 64
MAX_TIMES = 1000
_KEYS = ("time", "state", "until", "at", "let")


def _states(part: Part) -> dict[str, Part]:
    written = part.value.get("state") if isinstance(part.value, dict) else None
    return part.child("state").entries("states", most=MAX_STATES) if written is not None else {}


def declare_states(part: Part, what: str, taken: dict[str, str]) -> None:
    """Enter the states' names; a mechanism that replaces the shared dynamics may keep their states' names."""
    for name, entry in _states(part).items():
        if taken.get(name) != "a shared state":
            entry.declare(what, taken)


def known_states(part: Part) -> dict[str, Known]:
    """What let-names and outcomes know of the states: values at one time, or vectors over several."""
    times = part.value.get("at") if isinstance(part.value, dict) else None
    length = len(times) if isinstance(times, list) else 0
    return {name: Known("state", length, late=True) for name in _states(part)}


def read_dynamics(part: Part, scope: Scope, taken: dict[str, str]) -> Dynamics | None:
    """The dynamics, checked; ``scope``: what is known before integration."""
    fields = part.fields(_KEYS, ("state",))
    if not fields:
        return None
    states = _states(part)
    clock = _time(part, fields.get("time"), taken)
    inside = scope.plus({clock: Known("time"), **{name: Known("state") for name in states}})
    let = _read_let(fields.get("let"), inside, taken)
    inside = inside.plus({name: Known("let") for name, _ in let})
    read = [_state(name, entry, scope, inside) for name, entry in states.items()]
    return Dynamics(
        clock,
        tuple(state for state in read if state is not None),
        let,
        _until(part, fields, scope),
        _at(fields["at"], scope) if "at" in fields else (),
    )


def _time(part: Part, time: Part | None, taken: dict[str, str]) -> str:
    """The name of time: as written, or t."""
    name = time.text() if time else "t"
    (time or part).declare("the time of the dynamics", dict(taken), name)
    return name


def _state(name: str, part: Part, before: Scope, inside: Scope) -> State | None:
    fields = part.fields(("start", "rate"), ("start", "rate"))
    start = read_scalar(fields["start"], before) if "start" in fields else None
    rate = read_scalar(fields["rate"], inside) if "rate" in fields else None
    return State(name, start, rate) if start and rate else None


def _read_let(part: Part | None, scope: Scope, taken: dict[str, str]) -> tuple[tuple[str, Expression], ...]:
    if part is None:
        return ()
    names = dict(taken)
    parts = {n: p for n, p in part.entries("let-names", least=0).items() if p.declare("a let-name of dynamics", names)}
    expressions = {name: entry.expression() for name, entry in parts.items()}
    uses = {name: expression.names if expression else frozenset() for name, expression in expressions.items()}
    order = in_order(uses, parts)
    known = {name: Known("let", UNKNOWN if name not in order else 0) for name in parts}
    for name in parts:
        check_scalar(parts[name], expressions[name], scope.plus(known))
    found = ((name, expressions[name]) for name in order)
    return tuple((name, expression) for name, expression in found if expression is not None)


def _until(part: Part, fields: dict[str, Part], scope: Scope) -> Expression | None:
    if ("until" in fields) == ("at" in fields):
        part.problem("found both or neither of 'until' and 'at'; dynamics run until a time, or are read at several")
    if "until" not in fields:
        return None
    until = read_scalar(fields["until"], scope)
    end = fold(until, scope.constants)
    if end is not None and not end > 0:
        fields["until"].problem(f"found {end:g}; time starts at 0 and must end after it")
    return until


def _at(part: Part, scope: Scope) -> tuple[Expression, ...]:
    items = part.items("times", most=MAX_TIMES)
    times = [read_scalar(item, scope) for item in items]
    last = -1e-300  # time starts at 0, which may itself be read
    for item, time in zip(items, times, strict=True):
        value = fold(time, scope.constants)
        if value is not None and not value > last:
            item.problem(f"found {value:g}; times ascend from 0")
        last = last if value is None else value
    return tuple(time for time in times if time is not None)
