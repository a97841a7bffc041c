"""The parts of a domain as lines that a person reads: laws, priors, outcomes, goal, budget. Needs no torch."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from domains.document import Design, Domain, Mechanism, Outcome, Parameter, Prior
from domains.expressions import Compare, Expression
from domains.mathematics import to_unicode
from domains.prior_ranges import Range, prior_range

FAMILIES = {
    "normal": "Normal", "lognormal": "LogNormal", "halfnormal": "HalfNormal", "uniform": "Uniform",
    "loguniform": "LogUniform", "beta": "Beta", "gamma": "Gamma", "exponential": "Exponential",
    "studentt": "StudentT", "dirichlet": "Dirichlet", "categorical": "Categorical", "poisson": "Poisson",
    "bernoulli": "Bernoulli", "binomial": "Binomial", "negative_binomial": "NegativeBinomial",
    "logitnormal": "LogitNormal", "python": "Python",
}  # fmt: skip


class Formula(NamedTuple):
    """``left sign right``; a long right side may be continued below itself."""

    left: str
    sign: str
    right: str


def allowed(design: Design) -> str:
    """A design's allowed values in words."""
    if design.kind == "choice":
        return " or ".join(design.options)
    if design.kind == "levels":
        return ", ".join(f"{value:g}" for value in design.values).replace("-", "−")
    scale = ", evenly in the logarithm" if design.scale == "log" else ""
    ends = f"{design.low:g} to {design.high:g}".replace("-", "−")
    return f"{'whole numbers ' if design.kind == 'integer' else ''}{ends}{scale}"


def prior(parameter: Parameter) -> str:
    """Name and prior: ``km ~ LogNormal(0, 0.8)``."""
    assert parameter.prior is not None
    return f"{parameter.name} ~ {family(parameter.prior)}"


def family(prior: Prior) -> str:
    """A prior's family, arguments and truncation."""
    arguments = [to_unicode(argument) for argument in prior.arguments]
    if prior.values:
        arguments = [f"{value:g}: {weight}" for value, weight in zip(prior.values, arguments, strict=True)]
    low, high = (None if bound is None else to_unicode(bound) for bound in (prior.low, prior.high))
    cut = f" between {low} and {high}" if low and high else f" above {low}" if low else f" below {high}" if high else ""
    return f"{FAMILIES[prior.family]}({', '.join(arguments)}){cut}"


def spread(parameter: Parameter, constants: Mapping[str, float]) -> str:
    """Where the prior puts a parameter: ``1 (0.268 to 3.73)``, the median and in brackets the central 90 %."""
    found: Range | None = prior_range(parameter, constants)
    if found is not None:
        return f"{found.median:.3g} ({found.low:.3g} to {found.high:.3g})".replace("-", "−")
    return f"{parameter.size} positive shares of 1" if parameter.size else "depends on other unknowns"


def constant(parameter: Parameter) -> str:
    return f"{parameter.name} = {parameter.constant:g}{_unit(parameter.unit)}"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def constants(mechanism: Mechanism) -> dict[str, float]:
    """The constants that a law has, by name."""
    return {p.name: p.constant for p in mechanism.parameters if p.constant is not None}


def shared(domain: Domain, part: str) -> frozenset[str]:
    """The names that stand at the top of the document under ``parameters`` or ``let``; all of them under one law."""
    if len(domain.mechanisms) == 1:
        return frozenset()
    return frozenset(domain.parsed.get(part) or {})


def lets(let: Iterable[tuple[str, Expression]]) -> list[Formula]:
    return [Formula(name, "=", to_unicode(law)) for name, law in let]


def equations(mechanism: Mechanism, hidden: frozenset[str] = frozenset()) -> list[Formula]:
    """A law's equations in the order of evaluation: what the dynamics may use, the dynamics, what uses their states."""
    late = late_lets(mechanism)
    shown = [(name, law) for name, law in mechanism.let if name not in hidden]
    return [
        *lets((name, law) for name, law in shown if name not in late),
        *dynamics(mechanism),
        *lets((name, law) for name, law in shown if name in late),
    ]


def late_lets(mechanism: Mechanism) -> frozenset[str]:
    """The let-names that are known only after integration, since they use a state or each other."""
    late = {state.name for state in mechanism.dynamics.states} if mechanism.dynamics else set()
    for name, law in mechanism.let:
        late |= {name} if law.names & late else set()
    return frozenset(late)


def dynamics(mechanism: Mechanism) -> list[Formula]:
    """The differential equations of a law, where they start, and when they are read."""
    found = mechanism.dynamics
    if found is None:
        return []
    time = found.time
    lines = lets(found.let)
    for state in found.states:
        lines.append(Formula(f"d {state.name}/d{time}", "=", to_unicode(state.rate)))
        lines.append(Formula(f"{state.name}({time} = 0)", "=", to_unicode(state.start)))
    times = found.at or ((found.until,) if found.until else ())
    lines.append(Formula("read at", f"{time} =", ", ".join(to_unicode(when) for when in times)))
    return lines


def outcome(outcome: Outcome) -> Formula:
    """The law of what comes back: ``velocity ~ Normal(mean = rate, sd = 0.1) mM/min``."""
    arguments = ", ".join(f"{name} = {_argument(value)}" for name, value in outcome.arguments.items())
    name = f"{outcome.name}[0 … {outcome.size - 1}]" if outcome.size > 1 else outcome.name
    if outcome.family == "python":
        return Formula(name, "~", f"the Python laws{_unit(outcome.unit)}")
    return Formula(name, "~", f"{FAMILIES[outcome.family]}({arguments}){_unit(outcome.unit)}{_censoring(outcome)}")


def _argument(value: Expression | tuple[Expression, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(to_unicode(part) for part in value)}]"
    bare = to_unicode(value)
    return f"({bare})" if isinstance(value.root, Compare) else bare


def _censoring(outcome: Outcome) -> str:
    low, high = outcome.censor or (None, None)
    bounds = [f"below {low:g}" if low is not None else "", f"above {high:g}" if high is not None else ""]
    return f", censored {' and '.join(filter(None, bounds))}" if any(bounds) else ""


def goal(domain: Domain) -> str:
    """What is wanted, in words."""
    wanted = domain.goal
    if wanted.kind == "discriminate":
        return "find out which law holds"
    if wanted.kind == "predict":
        counts = [f"{name} at {len(points)} design{'s' * (len(points) > 1)}" for name, points in wanted.points.items()]
        return f"predict {_and(counts)}"
    if wanted.objective is not None:
        most = "largest" if wanted.kind == "maximise" else "smallest"
        return f"find the design with the {most} {to_unicode(wanted.objective)}"
    if wanted.parameters:
        return f"learn {_and(wanted.parameters)}, whatever the rest is"
    return "learn every unknown" + (" and which law holds" if len(domain.mechanisms) > 1 else "")


def points(domain: Domain) -> list[str]:
    """The designs at which the goal asks for predictions."""
    return [
        f"{outcome} where {', '.join(f'{name} = {_setting(value)}' for name, value in point.items())}"
        for outcome, points in domain.goal.points.items()
        for point in points
    ]


def _setting(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def budget(domain: Domain) -> list[Formula]:
    """What an experiment costs and a run may spend."""
    if domain.cost is None:
        return [Formula("budget", "=", f"{domain.budget:g} (experiments a run: each costs 1)")]
    return [
        Formula("cost of one experiment", "=", to_unicode(domain.cost)),
        Formula("budget of a run", "=", f"{domain.budget:g}"),
    ]


def exchangeable(domain: Domain) -> str:
    """Which groups of parameters may be swapped; empty where none may."""
    groups = [f"({', '.join(group)})" for group in domain.exchangeable]
    return f"{_and(groups)} may be swapped without changing anything" if groups else ""


def _and(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
