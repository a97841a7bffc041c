"""The laws: shared parameters, let-names and dynamics, and the mechanisms that add their own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domains.document import Dynamics, Mechanism, Parameter
from domains.expressions import Expression
from domains.validation.dynamics import declare_states, known_states, read_dynamics
from domains.validation.parameters import declare_parameters, known_parameters, read_parameters
from domains.validation.report import Part
from domains.validation.scope import UNKNOWN, Known, Scope, check, in_order, merged

_PRIOR_RULE = "a prior sees parameters only, a shared prior only shared ones"
_SHARED_RULE = "a shared let or shared dynamics sees shared names only"
_OWN_RULE = "a mechanism sees shared names and its own"
_FORM = "the formulas of a mechanism stand under its 'let', as in {let: {rate: a * x}}"
MAX_LETS = 500
MAX_MECHANISMS = 64

Lets = tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class Laws:
    """All mechanisms; what every name of the document is; the names shared, and those that every mechanism knows."""

    mechanisms: tuple[Mechanism, ...]
    declared: Mapping[str, str]
    shared: Mapping[str, Known]
    common: Mapping[str, Known]


@dataclass(frozen=True)
class _Section:
    """What the shared part, or one mechanism, declares; the parts are still to be read."""

    parameters: dict[str, Part]
    lets: dict[str, Part]
    dynamics: Part | None
    states: dict[str, Known]


def read_laws(top: dict[str, Part], designs: Mapping[str, Known], taken: dict[str, str]) -> Laws:
    """Read everything under ``parameters``, ``let``, ``dynamics`` and ``mechanisms``."""
    shared = _section(top, "a shared", taken)
    parts = top["mechanisms"].entries("mechanisms", most=MAX_MECHANISMS) if "mechanisms" in top else {}
    laws = {name: part for name, part in parts.items() if part.title()}
    own_dynamics = [_get(part.value, "dynamics") for part in laws.values()]
    declared = {**_inner([shared.dynamics and shared.dynamics.value, *own_dynamics]), **_owners(laws), **taken}
    parameters = known_parameters(shared.parameters)
    base = Scope({**designs, **parameters}, declared, _SHARED_RULE)
    priors = read_parameters(shared.parameters, Scope(parameters, declared, _PRIOR_RULE))
    lets, let_names = _read_lets(shared.lets, base.plus(shared.states), {})
    dynamics = read_dynamics(shared.dynamics, _before(base.plus(let_names)), taken) if shared.dynamics else None
    reading = _Reading(shared, base, priors, (lets, let_names), dynamics, taken)
    read = [reading.mechanism(name, part) for name, part in laws.items()]
    return Laws(
        tuple(mechanism for mechanism, _ in read),
        declared,
        base.plus(let_names).names,
        merged([names for _, names in read]),
    )


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _names(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, dict) else ()


def _inner(dynamics: list[Any]) -> dict[str, str]:
    """Time and the let-names of dynamics, which nothing else sees."""
    times = [_get(one, "time") for one in dynamics]
    names = [name for one in dynamics for name in _names(_get(one, "let"))]
    return dict.fromkeys((*(t for t in times if isinstance(t, str)), *names), "known only inside dynamics")


def _owners(laws: dict[str, Part]) -> dict[str, str]:
    """What each name that only mechanisms declare is."""
    owners: dict[str, list[str]] = {}
    for law, part in laws.items():
        states = _get(_get(part.value, "dynamics"), "state")
        for section in (_get(part.value, "parameters"), _get(part.value, "let"), states):
            for name in _names(section):
                owners.setdefault(name, []).append(law)
    return {
        name: f"a name of mechanism {', '.join(map(repr, own[:4]))}{', …' if len(own) > 4 else ''}"
        for name, own in owners.items()
    }


def _section(fields: dict[str, Part], what: str, taken: dict[str, str]) -> _Section:
    parameters = declare_parameters(fields.get("parameters"), f"{what} parameter", taken)
    entries = fields["let"].entries("let-names", least=0, most=MAX_LETS) if "let" in fields else {}
    lets = {name: part for name, part in entries.items() if part.declare(f"{what} let-name", taken)}
    dynamics = fields.get("dynamics")
    states = {}
    if dynamics is not None:
        declare_states(dynamics, f"{what} state", taken)
        states = known_states(dynamics)
    return _Section(parameters, lets, dynamics, states)


def _read_lets(parts: dict[str, Part], scope: Scope, names: Mapping[str, Known]) -> tuple[Lets, dict[str, Known]]:
    """Let-names in an order in which they can be evaluated, and what is known of them."""
    expressions = {name: part.expression() for name, part in parts.items()}
    uses = {name: expression.names if expression else frozenset() for name, expression in expressions.items()}
    known = {**names, **{name: Known("let", UNKNOWN) for name in parts}}
    seen = {**scope.names, **known}
    inside = Scope(seen, scope.declared, scope.rule)
    order = in_order(uses, parts)
    for name in order:
        length = check(parts[name], expressions[name], inside)
        late = any(seen[used].late for used in uses[name] if used in seen)
        known[name] = seen[name] = Known("let", length, late=late)
    lets = ((name, expressions[name]) for name in order)
    return tuple((name, expression) for name, expression in lets if expression is not None), known


def _before(scope: Scope) -> Scope:
    """The scope without what is known only after integration."""
    names = {name: known for name, known in scope.names.items() if not known.late}
    late = {name: "known only after integration" for name in scope.names.keys() - names.keys()}
    return Scope(names, {**scope.declared, **late}, "dynamics see designs, parameters and let-names made of these")


@dataclass(frozen=True)
class _Reading:
    """Reads mechanisms against what they share."""

    shared: _Section
    base: Scope
    priors: tuple[Parameter, ...]
    shared_lets: tuple[Lets, dict[str, Known]]
    dynamics: Dynamics | None
    taken: Mapping[str, str]

    def mechanism(self, name: str, part: Part) -> tuple[Mechanism, dict[str, Known]]:
        """One mechanism, complete, and the names known in it."""
        part = replace(part, value={}) if part.value is None else part
        fields = part.fields(("weight", "label", "parameters", "let", "dynamics"), otherwise=_FORM)
        weight = fields["weight"].number(above=0) if "weight" in fields else 1.0
        taken = dict(self.taken)
        own = _section(fields, "its own", taken)
        scope = Scope({**self.base.names, **known_parameters(own.parameters)}, self.base.declared, _OWN_RULE)
        lets, names = self.lets(own, scope)
        full = scope.plus(names)
        dynamics = read_dynamics(own.dynamics, _before(full), taken) if own.dynamics else self.dynamics
        label = fields["label"].text() if "label" in fields else ""
        return Mechanism(name, weight or 1.0, self.parameters(own, scope), lets, dynamics, label), dict(full.names)

    def parameters(self, own: _Section, scope: Scope) -> tuple[Parameter, ...]:
        visible = {name: known for name, known in scope.names.items() if known.kind in ("constant", "parameter")}
        read = read_parameters(own.parameters, Scope(visible, scope.declared, _PRIOR_RULE))
        return tuple(sorted((*self.priors, *read), key=lambda parameter: parameter.constant is None))

    def lets(self, own: _Section, scope: Scope) -> tuple[Lets, dict[str, Known]]:
        states, (shared, names) = self.shared.states, self.shared_lets
        if own.dynamics is not None:  # other states, perhaps of other lengths, or fewer
            states = own.states
            visible = {name: known for name, known in states.items() if name in self.shared.states}
            shared, names = _read_lets(self.shared.lets, self.base.plus(visible), {})
        lets, names = _read_lets(own.lets, scope.plus(states), names)
        return (*shared, *lets), {**states, **names}
