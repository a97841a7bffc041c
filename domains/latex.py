"""A domain's laws, priors and outcomes as a LaTeX fragment. Each block is one ``aligned`` for mathematics mode."""

from collections.abc import Iterable

from domains.document import Domain, Mechanism, Outcome, Parameter
from domains.expressions import Expression
from domains.mathematics import latex_name, latex_text, to_latex
from domains.wording import FAMILIES, late_lets

_LAWS = 64  # written out; of more, as many
Row = tuple[str, str]  # left of the alignment, right of it


def law(mechanism: Mechanism) -> str:
    """A law's equations, dynamics included."""
    late = late_lets(mechanism)
    before = [(name, expression) for name, expression in mechanism.let if name not in late]
    after = [(name, expression) for name, expression in mechanism.let if name in late]
    return aligned([*_lets(before), *_dynamics(mechanism), *_lets(after)])


def _lets(let: Iterable[tuple[str, Expression]]) -> list[Row]:
    return [(latex_name(name), f"= {to_latex(expression)}") for name, expression in let]


def priors(parameters: Iterable[Parameter]) -> str:
    """The priors of unknowns and the values of constants."""
    return aligned([_parameter(parameter) for parameter in parameters])


def outcomes(domain: Domain) -> str:
    """The laws of what comes back."""
    return aligned([_outcome(outcome) for outcome in domain.outcomes])


def fragment(domain: Domain) -> str:
    """Everything as LaTeX text with displayed blocks; needs the package amsmath."""
    parts = [f"% {domain.name}: {domain.title}"]
    for mechanism in domain.mechanisms[:_LAWS]:
        blocks = [law(mechanism), priors(mechanism.parameters)]
        parts.append(f"\\paragraph{{{mechanism.label or mechanism.name}}}")
        parts.extend(_displayed(block) for block in blocks if block)
    if len(domain.mechanisms) > _LAWS:
        parts.append(f"% and {len(domain.mechanisms) - _LAWS} more laws")
    parts.extend(["\\paragraph{What comes back}", _displayed(outcomes(domain))])
    return "\n".join(parts)


def aligned(rows: list[Row]) -> str:
    """Rows aligned at their signs; empty for none."""
    if not rows:
        return ""
    body = " \\\\\n".join(f"{left} &{right}" for left, right in rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _displayed(block: str) -> str:
    return f"\\[\n{block}\n\\]"


def _dynamics(mechanism: Mechanism) -> list[Row]:
    found = mechanism.dynamics
    if found is None:
        return []
    time = latex_name(found.time)
    rows = _lets(found.let)
    for state in found.states:
        name = latex_name(state.name)
        rows.append((rf"\frac{{\mathrm{{d}} {name}}}{{\mathrm{{d}} {time}}}", f"= {to_latex(state.rate)}"))
        rows.append((rf"{name}(0)", f"= {to_latex(state.start)}"))
    return rows


def _parameter(parameter: Parameter) -> Row:
    name = latex_name(parameter.name)
    unit = rf"\ {latex_text(parameter.unit)}" if parameter.unit else ""
    if parameter.prior is None:
        return name, f"= {parameter.constant:g}{unit}"
    arguments = ", ".join(to_latex(argument) for argument in parameter.prior.arguments)
    if parameter.prior.values:
        pairs = zip(parameter.prior.values, parameter.prior.arguments, strict=True)
        arguments = r",\ ".join(f"{value:g}: {to_latex(weight)}" for value, weight in pairs)
    bounds = [
        rf"{name} > {to_latex(parameter.prior.low)}" if parameter.prior.low else "",
        rf"{name} < {to_latex(parameter.prior.high)}" if parameter.prior.high else "",
    ]
    cut = "".join(rf",\ {bound}" for bound in bounds if bound)
    return name, rf"\sim \operatorname{{{FAMILIES[parameter.prior.family]}}}\left({arguments}\right){unit}{cut}"


def _outcome(outcome: Outcome) -> Row:
    def written(value: Expression | tuple[Expression, ...]) -> str:
        return ", ".join(to_latex(part) for part in value) if isinstance(value, tuple) else to_latex(value)

    arguments = r",\ ".join(rf"{latex_text(name)} = {written(value)}" for name, value in outcome.arguments.items())
    unit = rf"\ {latex_text(outcome.unit)}" if outcome.unit else ""
    name = latex_name(outcome.name)
    if outcome.family == "python":
        return name, rf"\sim \text{{the Python laws}}{unit}"
    low, high = outcome.censor or (None, None)
    bounds = " ".join(
        rf"\text{{censored}}\ {sign} {bound:g}" for sign, bound in (("<", low), (">", high)) if bound is not None
    )
    cut = rf",\ {bounds}" if bounds else ""
    return name, rf"\sim \operatorname{{{FAMILIES[outcome.family]}}}\left({arguments}\right){unit}{cut}"
