"""A report on adaptation for people. Reads it as plain data."""

from collections.abc import Iterator
from typing import Any

from orchestrator.cli.output import console, print_table

_LEVELS = {
    "in-distribution": "as the document says",
    "shifted-parameters": "with shifted parameters",
    "unseen-domain": "a domain no agent was made for",
}
_MEASURES = ("score (95 %)", "gap", "area")
Report = dict[str, Any]


def print_report(report: Report) -> None:
    """A table a group, then all groups of a level of shift together, then what to beware of."""
    for group in report["groups"]:
        _print_group(report, group)
    for shift in report["shifts"]:
        if len(shift["domains"]) > 1:
            names = ", ".join(shift["domains"])
            console.print(f"\nTogether, {_LEVELS[shift['shift']]}: {names}", style="bold", markup=False)
            rows = [[agent["policy"], *_measures(agent)] for agent in shift["agents"]]
            print_table(["policy", *_MEASURES], rows)
            _print_against(report, shift["agents"])
    console.print(f"\n{report['note']}", markup=False)
    for line in notes(report):
        console.print(line, markup=False)


def _print_group(report: Report, group: Report) -> None:
    scale, spend = group["scale"], "a budget of" if group["unequal"] else "experiments:"
    console.print(f"\n{group['domain']}, {_LEVELS[group['shift']]}: {group['title']}", style="bold", markup=False)
    console.print(
        f"{group['score']}: {number(scale['before'])} before any experiment, random {number(scale['random'])}, greedy at "
        f"twice the budget {number(scale['greedy'])}. {group['runs']} worlds, {spend} {group['budget']:g}.",
        markup=False,
    )
    what = "cost" if group["unequal"] else "experiments"
    reaches = [f"{what} to {100 * reach['share']:.0f} %" for reach in group["agents"][0]["reach"]]
    rows = []
    for agent in group["agents"]:
        own = f"{number(agent['own'])} ± {number(agent['own_error'], 2)}"
        times = [when(reach["cost"], group["budget"]) for reach in agent["reach"]]
        rows.append([agent["summary"]["policy"], own, *_measures(agent["summary"]), *times])
    print_table(["policy", "own terms ± s.e.", *_MEASURES, *reaches], rows)
    _print_against(report, [agent["summary"] for agent in group["agents"]])


def _measures(summary: Report) -> list[str]:
    return [interval(summary[name]) for name in ("score", "gap", "area")]


def _print_against(report: Report, summaries: list[Report]) -> None:
    """Everyone beside the baseline."""
    others = [summary for summary in summaries if summary["against"]]
    if not others:
        return
    trained = any(summary["against"]["break_even"] for summary in others)
    columns = ["difference", "P(higher), same world", "another", "jump-start", "transfer", "experiments saved"]
    columns += ["cost saved", *(["break-even, tasks"] if trained else [])]
    rows = []
    for summary in others:
        beside = summary["against"]
        cells = [interval(beside[name]) for name in ("difference", "paired", "unpaired", "jump_start", "transfer")]
        cells += [interval(beside["saved"]), interval(beside["saved_cost_share"], percent=True)]
        rows.append([summary["policy"], *cells, *([_tasks(beside["break_even"])] if trained else [])])
    print_table([f"beside {report['baseline']}", *columns], rows)


def notes(report: Report) -> Iterator[str]:
    """What a reader should beware of."""
    for group in report["groups"]:
        where = f"Beware: {group['domain']}, {_LEVELS[group['shift']]}:"
        if not group["clear"]:
            yield (
                f"{where} greedy at twice the budget is not clearly better than random (by two standard errors), so that "
                "scores between them mean little; it is left out of what is told together. More --runs or another "
                "--budget may mend it."
            )
        for agent in group["agents"]:
            name, runs = agent["summary"]["policy"], group["runs"]
            if agent["capped"]:
                yield f"{where} {agent['capped']} of {runs} runs of {name} know more than sPCE can say; raise --contrasts."
            if agent["failed"]:
                yield f"{where} {agent['failed']} of {runs} runs of {name} have no score; they got the worst of all."


def when(passage: Report, budget: float) -> str:
    """``3 (2 to >4), 15 of 24``: the median, its interval, and how many reach it."""
    middle, low, high = (_time(passage[name], budget) for name in ("median", "low", "high"))
    ends = low if low == high else f"{low} to {high}"
    return f"{middle} ({ends}), {passage['reached']} of {passage['runs']}"


def _time(value: float | None, budget: float) -> str:
    return f">{budget:g}" if value is None else f"{value:.3g}"


def interval(found: Report | None, *, percent: bool = False) -> str | None:
    """``0.62 (0.41 to 0.80)``."""
    if found is None:
        return None
    if percent:
        value, low, high = (None if v is None else 100 * v for v in (found["value"], found["low"], found["high"]))
        return "–" if value is None else f"{value:.0f} % ({number(low, 2)} to {number(high, 2)})"
    value, low, high = (_two(found[name]) for name in ("value", "low", "high"))
    return value if value == "–" else f"{value} ({low} to {high})"


def _two(value: float | None) -> str:
    """Two decimals, or three digits where that is more than they say."""
    return "–" if value is None else f"{value:.2f}" if abs(value) < 100 else f"{value:.3g}"


def _tasks(found: Report | None) -> str:
    if found is None:
        return ""
    value, low, high = (number(found[name], missing="never") for name in ("value", "low", "high"))
    return value if low == high else f"{value} ({low} to {high})"


def number(value: float | None, digits: int = 3, missing: str = "–") -> str:
    return missing if value is None else f"{value:.{digits}g}"
