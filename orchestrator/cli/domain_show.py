"""``organon domain show``: a domain on one page, its laws as mathematics."""

import textwrap
from collections.abc import Iterable

from domains import wording
from domains.document import Domain, Mechanism, Parameter
from domains.wording import Formula
from orchestrator.cli.output import console

_PIPED_WIDTH = 1000  # a pipe has no width to wrap to
_WIDEST = 110  # what reads well
_LAWS = 8  # written out; of more, as many
_LEAST_LABEL = 30  # the room that a table's labels have at least
_KEPT = str.maketrans({"\u00a0": " "})


def print_domain(domain: Domain) -> None:
    """The whole document for people."""
    console.print(domain.title, style="bold", markup=False)
    console.print(f"{domain.name} · {domain.field}" if domain.field else domain.name, markup=False)
    if domain.summary:
        _say(f"\n{domain.summary.strip()}")
    _print_settings(domain)
    _print_shared(domain)
    for mechanism in domain.mechanisms[:_LAWS]:
        _print_law(domain, mechanism)
    if len(domain.mechanisms) > _LAWS:
        names = ", ".join(mechanism.name for mechanism in domain.mechanisms[-3:])
        _title(f"and {len(domain.mechanisms) - _LAWS} more laws, to {names}")
    _title("What comes back")
    for outcome in domain.outcomes:
        _formula(wording.outcome(outcome), note="" if outcome.label == outcome.name else outcome.label)
    _print_aim(domain)
    _print_sources(domain)


def _print_settings(domain: Domain) -> None:
    _title("What can be set")
    _table([[d.name, wording.allowed(d), d.unit, d.label] for d in domain.designs])
    for condition in domain.constraints:
        _formula(Formula("such that", "", wording.to_unicode(condition)))


def _print_shared(domain: Domain) -> None:
    """What all laws have in common; nothing where there is one law."""
    names = wording.shared(domain, "parameters")
    first = domain.mechanisms[0]
    common = [p for p in first.parameters if p.name in names]
    lets = [(name, law) for name, law in first.let if name in wording.shared(domain, "let")]
    if not common and not lets:
        return
    _title("In every law")
    _print_parameters(common, first)
    for line in wording.lets(lets):
        _formula(line)


def _print_law(domain: Domain, mechanism: Mechanism) -> None:
    total = sum(each.weight for each in domain.mechanisms)
    odds = f" (prior probability {mechanism.weight / total:.2g})" if len(domain.mechanisms) > 1 else ""
    _title(f"Law: {mechanism.name}{odds}")
    if mechanism.label:
        _say(f"  {mechanism.label}")
    shared = wording.shared(domain, "parameters")
    _print_parameters([p for p in mechanism.parameters if p.name not in shared], mechanism)
    for line in wording.equations(mechanism, hidden=wording.shared(domain, "let")):
        _formula(line)


def _print_parameters(parameters: Iterable[Parameter], mechanism: Mechanism) -> None:
    """Unknowns with their priors, then constants."""
    known = wording.constants(mechanism)
    unknowns = [p for p in parameters if p.prior is not None]
    if unknowns:
        rows = [[wording.prior(p), wording.spread(p, known), p.unit, p.label] for p in unknowns]
        _table([["unknown", "median (90 %)", "", ""], *rows])
    for parameter in parameters:
        if parameter.prior is None:
            left, _, right = wording.constant(parameter).partition(" = ")
            _formula(Formula(left, "=", right), note=parameter.label or "constant")


def _print_aim(domain: Domain) -> None:
    _title("What is wanted")
    _say(f"  {wording.goal(domain)[0].upper()}{wording.goal(domain)[1:]}.")
    for point in wording.points(domain):
        _say(f"    {point}")
    for line in wording.budget(domain):
        _formula(line)
    swapped = wording.exchangeable(domain)
    if swapped:
        _say(f"  {swapped}")


def _print_sources(domain: Domain) -> None:
    if domain.replays:
        _title("Real measurements (--laboratory)")
        _table([[f"replay:{r.name}", r.file, " ".join(r.source.split())] for r in domain.replays.values()])
    if domain.references:
        _title("References")
        for reference in domain.references:
            _say(f"  {reference}", hanging=2)


def _title(text: str) -> None:
    console.print(f"\n{text}", style="bold", markup=False)


def _width() -> int:
    return min(console.width, _WIDEST) if console.is_terminal else _PIPED_WIDTH


def _say(text: str, hanging: int = 0) -> None:
    """A paragraph, continued at its own indent and ``hanging`` more."""
    body = text.lstrip("\n ")
    indent = " " * (len(text.lstrip("\n")) - len(body))
    lines = _fill(body, indent, indent + " " * hanging)
    console.print(text[: len(text) - len(text.lstrip("\n"))] + lines, markup=False)


def _fill(text: str, first: str, after: str) -> str:
    return textwrap.fill(
        text, _width(), initial_indent=first, subsequent_indent=after, break_long_words=False, break_on_hyphens=False
    )


def _table(rows: list[list[str]]) -> None:
    """Aligned columns; only the last one, of labels, is continued on further lines, as far as there is room."""
    used = [column for column in range(len(rows[0])) if any(row[column] for row in rows)]
    widths = [max(len(row[column]) for row in rows) for column in used[:-1]]
    start = " " * min(2 + sum(width + 2 for width in widths), _width() - _LEAST_LABEL)
    for row in rows:
        cells = "".join(row[column].ljust(width + 2) for column, width in zip(used, widths, strict=False))
        line = _fill(row[used[-1]], f"  {cells}", start) if row[used[-1]] else f"  {cells}"
        console.print(line.rstrip(), markup=False)


def _formula(formula: Formula, note: str = "") -> None:
    """A formula, continued below its right side, broken before a sum's signs or between arguments."""
    head = f"  {formula.left} {formula.sign} " if formula.sign else f"  {formula.left} "
    right = formula.right
    right = right.replace(" / ", "\u00a0/\u00a0")
    for sign in ("+", "−", "if", "<", "≤", ">", "≥", "="):
        right = right.replace(f" {sign} ", f" {sign}\u00a0")
    hanging = " " * min(len(head), 24)
    text = f"{right}   ({note})" if note else right
    console.print(_fill(text, head, hanging).translate(_KEPT), markup=False)
