"""A power report for people: small tables of the curves, then the answers. Reads the report as plain data."""

from collections.abc import Callable, Sequence
from typing import Any

from domains.document import Domain
from orchestrator.cli.output import console, print_table

_ROWS, _COLUMNS = 9, 5  # budgets shown in the table of laws, and in those of parameters
_ZERO = 1e-12  # a standard error of rounding alone
_FEW = 10  # worlds, below which a line says so
Report = dict[str, Any]


def print_report(domain: Domain, report: Report) -> None:
    """Everything, the answers last."""
    end = report["budgets"][-1]
    console.print(f"How many experiments does {report['domain']} need?", style="bold", markup=False)
    console.print(report["title"], markup=False)
    spend = f"a budget of {end:g} each" if report["unequal"] else f"{end:g} experiments each"
    console.print(
        f"{report['runs']} worlds drawn from the domain, investigated with {spend}; seed {report['seed']}, "
        f"{report['particles']} particles a law.",
        markup=False,
    )
    for policy in report["policies"]:
        _print_curves(report, policy)
        _print_parameters(report, policy)
    _print_needs(domain, report)
    _print_assured(domain, report)
    for line in notes(report):
        console.print(line, markup=False)


def _print_curves(report: Report, policy: dict[str, Any]) -> None:
    """Law, information and score against the budget."""
    several = report["laws"] > 1
    columns = ["budget", "experiments"] if report["unequal"] else ["experiments"]
    columns += ["P(true law)", "10–90 % of worlds", "true law leads (95 %)"] if several else []
    columns += ["information, nats", "10–90 % of worlds"]
    columns += [f"{score_name(report)}", "10–90 % of worlds"] if policy["score"] else []
    rows = []
    for index in chosen(report["budgets"], _ROWS):
        cells = [f"{report['budgets'][index]:g}"]
        cells += [f"{policy['experiments'][index]:.3g}"] if report["unequal"] else []
        cells += [*_spread(policy["probability"], index, ".2f"), _share(policy["found"], index)] if several else []
        cells += _spread(policy["information"], index, ".2f")
        cells += _spread(policy["score"], index, ".3g") if policy["score"] else []
        rows.append(cells)
    console.print(f"\n{policy['policy']}", style="bold", markup=False)
    print_table(columns, rows)


def _print_parameters(report: Report, policy: dict[str, Any]) -> None:
    """Widths and errors of every parameter at some budgets."""
    if not policy["parameters"]:
        return
    where = chosen(report["budgets"], _COLUMNS)
    heads = [f"{'budget' if report['unequal'] else 'after'} {report['budgets'][index]:g}" for index in where]
    law = ", in worlds that have it and under the true law" if report["laws"] > 1 else ""

    def table(title: str, cell: Callable[[dict[str, Any], int], str]) -> None:
        console.print(f"\n{title}{law}", markup=False)
        rows = [[p["name"], p["unit"], p["worlds"], *(cell(p, index) for index in where)] for p in policy["parameters"]]
        print_table(["parameter", "", "worlds", *heads], rows)

    table("Width of the 90 % interval: median (10–90 % of worlds)", _width)
    table("Root-mean-square error ÷ the prior's sd, ± s.e.", _error)


def _print_needs(domain: Domain, report: Report) -> None:
    title = f"\nNeeded, to reach it in {_percent(report['assurance'])} of the worlds"
    if not any(policy["needs"] for policy in report["policies"]):
        return
    console.print(title, style="bold", markup=False)
    what = "budget" if report["unequal"] else "experiments"
    rows = []
    for number in range(len(report["policies"][0]["needs"])):
        for policy in report["policies"]:
            need = policy["needs"][number]
            rows.append([_target(domain, report, need["target"]), policy["policy"], *_need(report, need)])
    columns = ["target", "policy", what, "95 % interval", *(["experiments"] if report["unequal"] else [])]
    print_table([*columns, f"reached with {report['budgets'][-1]:g} (95 %)"], rows)


def _need(report: Report, need: dict[str, Any]) -> list[str]:
    end = report["budgets"][-1]
    beyond = f"beyond {end:g}"
    answer = f"not within {end:g}" if need["budget"] is None else f"{need['budget']:g}"
    low, high = (beyond if need[side] is None else f"{need[side]:g}" for side in ("low", "high"))
    interval = beyond if low == high == beyond else f"{low} to {high}"
    experiments = "" if need["experiments"] is None else f"{need['experiments']:.3g}"
    reached = "no world has it" if need["worlds"] == 0 else _share(need["reached"], -1)
    return [answer, interval, *([experiments] if report["unequal"] else []), reached]


def _print_assured(domain: Domain, report: Report) -> None:
    policies = report["policies"]
    end = f"a budget of {report['budgets'][-1]:g}" if report["unequal"] else f"{report['budgets'][-1]:g} experiments"
    verb = "assures" if report["unequal"] else "assure"
    title = f"\nWhat {end} {verb} in {_percent(report['assurance'])} of the worlds"
    console.print(title, style="bold", markup=False)
    rows = []
    for number, entry in enumerate(policies[0]["assured"]):
        cells = [_number(policy["assured"][number]["target"]["limit"]) for policy in policies]
        rows.append([_quantity(domain, report, entry["target"]), entry["worlds"], *cells])
    print_table(["", "worlds", *(policy["policy"] for policy in policies)], rows)


def notes(report: Report) -> list[str]:
    """What a reader should beware of, and what to ask next."""
    lines = [""]
    end = report["budgets"][-1]
    needs = [need for policy in report["policies"] for need in policy["needs"]]
    if any(need["budget"] is None and need["worlds"] for need in needs):
        lines.append(f"Nothing is extrapolated beyond {end:g}: --budget {2 * end:g} looks further.")
    for policy in report["policies"]:
        if policy["untrusted"]:
            lines.append(
                f"Beware: in {policy['untrusted']} of {report['runs']} runs of {policy['policy']} the particles were "
                f"in poor order at the end; --particles {2 * report['particles']} may mend it."
            )
    entries = report["policies"][0]["parameters"]
    few = [f"{entry['name']} ({entry['worlds']})" for entry in entries if entry["worlds"] < _FEW <= report["runs"]]
    if few:
        lines.append(f"Few worlds have {', '.join(few)}: more --runs make that sure.")
    asked = any(need["target"]["kind"] == "width" for need in needs)
    known = [entry["target"] for entry in report["policies"][0]["assured"] if entry["target"]["kind"] == "width"]
    sized = [target for target in known if target["limit"] is not None]
    if not asked and sized:
        lines.append(f"To ask for a precision: --width {sized[0]['name']}={sized[0]['limit']:.2g}")
    return lines if len(lines) > 1 else []


def chosen(budgets: Sequence[float], most: int) -> list[int]:
    """Indices of at most ``most`` budgets, from the first to the last and evenly between."""
    last = len(budgets) - 1
    if last < most:
        return list(range(last + 1))
    return sorted({int(index * last / (most - 1) + 0.5) for index in range(most)})


def score_name(report: Report) -> str:
    return "squared error ÷ prior's variance" if report["goal"] == "predict" else "simple regret"


def _target(domain: Domain, report: Report, target: dict[str, Any]) -> str:
    sign = {"law": "≥", "width": "<", "score": "≤"}[target["kind"]]
    unit = next((p.unit for p in domain.parameters if target["name"] in p.entries), "")
    return f"{_plain_quantity(report, target)} {sign} {target['limit']:g}" + (f" {unit}" if unit else "")


def _quantity(domain: Domain, report: Report, target: dict[str, Any]) -> str:
    unit = next((p.unit for p in domain.parameters if target["name"] in p.entries), "")
    sign = "at least" if target["kind"] == "law" else "at most"
    return f"{_plain_quantity(report, target)}, {sign}" + (f" ({unit})" if unit else "")


def _plain_quantity(report: Report, target: dict[str, Any]) -> str:
    if target["kind"] == "width":
        return f"90 % interval of {target['name']}"
    return "P(true law)" if target["kind"] == "law" else score_name(report)


def _width(parameter: dict[str, Any], index: int) -> str:
    low, median, high = (parameter["width"][key][index] for key in ("low", "median", "high"))
    return "" if median is None else f"{_number(median)} ({_number(low)}–{_number(high)})"


def _error(parameter: dict[str, Any], index: int) -> str:
    error, spread = parameter["error"][index], parameter["error_se"][index]
    if error is None:
        return ""
    return f"{error:.2f}" + (f" ± {spread:.1g}" if spread and spread > _ZERO else "")


def _spread(spread: dict[str, Any], index: int, digits: str) -> list[str]:
    """Mean ± standard error, and the range of most worlds."""
    mean, error, low, high = (spread[key][index] for key in ("mean", "standard_error", "low", "high"))
    if mean is None:
        return ["", ""]
    return [
        f"{mean:{digits}}" + (f" ± {error:.1g}" if error and error > _ZERO else ""),
        f"{low:{digits}} to {high:{digits}}",
    ]


def _share(share: dict[str, Any], index: int) -> str:
    value, low, high = (share[key][index] for key in ("share", "low", "high"))
    return "" if value is None else f"{_percent(value)} ({100 * low:.0f}–{_percent(high)})"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _number(value: float | None) -> str:
    """Three significant digits, without an exponent where few digits do."""
    if value is None:
        return "–"
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
