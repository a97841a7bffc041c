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
            saved, heads = _savings(shift["agents"], unequal=True)
            pairs = zip(shift["agents"], saved, strict=True)
            rows = [[agent["policy"], *_measures(agent), *cells] for agent, cells in pairs]
            print_table(["policy", *_MEASURES, *heads], rows)
            _print_against(report, shift["agents"])
    console.print(f"\n{report['note']}", markup=False)
    for line in notes(report):
        console.print(line, markup=False)


def _print_group(report: Report, group: Report) -> None:
    scale, spend = group["scale"], "a budget of" if group["unequal"] else "experiments:"
    console.print(f"\n{group['domain']}, {_LEVELS[group['shift']]}: {group['title']}", style="bold", markup=False)
    console.print(
        f"{group['score']}: {number(scale['before'])} before any experiment, random {number(scale['random'])}, "
        f"greedy at twice the budget {number(scale['greedy'])}. {group['runs']} worlds, {spend} {group['budget']:g}.",
        markup=False,
    )
    rows = []
    for agent in group["agents"]:
        own = f"{number(agent['own'])} ± {number(agent['own_error'], 2)}"
        rows.append([agent["summary"]["policy"], own, *_measures(agent["summary"])])
    print_table(["policy", "own terms ± s.e.", *_MEASURES], rows)
    _print_speed(group)
    _print_against(report, [agent["summary"] for agent in group["agents"]])


def _print_speed(group: Report) -> None:
    """How long shares of greedy's progress take."""
    shares = [f"to {100 * reach['share']:.0f} %" for reach in group["agents"][0]["reach"]]
    saved, heads = _savings([agent["summary"] for agent in group["agents"]], unequal=group["unequal"])
    rows = []
    for agent, cells in zip(group["agents"], saved, strict=True):
        times = [when(reach["cost"], group["budget"]) for reach in agent["reach"]]
        rows.append([agent["summary"]["policy"], *times, *cells])
    first, *others = shares
    what = "cost" if group["unequal"] else "experiments"
    print_table(["policy", f"{what} {first}", *others, *heads], rows)


def _savings(summaries: list[Report], *, unequal: bool) -> tuple[list[list[str | None]], list[str]]:
    """What each saves beside the baseline, and the columns' heads."""
    everyone = [summary["against"] or {} for summary in summaries]
    trained = any(beside.get("break_even") for beside in everyone)
    heads = ["experiments saved to 80 %", "cost saved"] if unequal else ["saved to 80 %"]
    rows = []
    for beside in everyone:
        cells = [interval(beside.get("saved"))]
        cells += [interval(beside.get("saved_cost_share"), percent=True)] if unequal else []
        rows.append([*cells, *([_tasks(beside.get("break_even"))] if trained else [])])
    return rows, [*heads, *(["break-even, tasks"] if trained else [])]


def _measures(summary: Report) -> list[str | None]:
    return [interval(summary[name]) for name in ("score", "gap", "area")]


def _print_against(report: Report, summaries: list[Report]) -> None:
    """Everyone beside the baseline."""
    others = [summary for summary in summaries if summary["against"]]
    if not others:
        return
    columns = ["difference", "P(higher), same world", "another", "jump-start", "transfer"]
    measures = ("difference", "paired", "unpaired", "jump_start", "transfer")
    rows = [[one["policy"], *(interval(one["against"][name]) for name in measures)] for one in others]
    print_table([f"beside {report['baseline']}", *columns], rows)


def notes(report: Report) -> Iterator[str]:
    """What a reader should beware of."""
    for group in report["groups"]:
        where = f"Beware: {group['domain']}, {_LEVELS[group['shift']]}:"
        if not group["clear"]:
            yield (
                f"{where} greedy at twice the budget is not clearly better than random (by two standard errors): "
                "scores between them mean little, and it is left out of what is told together. More --runs or "
                "another --budget may mend it."
            )
        if all(agent["reach"][0]["cost"]["median"] == 0 for agent in group["agents"]):
            yield f"{where} most worlds are at half of greedy's mean progress before any experiment; see the areas."
        capped, failed = (_counts(group, what) for what in ("capped", "failed"))
        if capped:
            yield f"{where} of {group['runs']} runs, {capped} know more than sPCE says; raise --contrasts."
        if failed:
            yield f"{where} of {group['runs']} runs, {failed} have a score that is no number; they got the worst."


def _counts(group: Report, what: str) -> str:
    """``4 of random, 5 of sobol``."""
    return ", ".join(f"{agent[what]} of {agent['summary']['policy']}" for agent in group["agents"] if agent[what])


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
        value, low, high = (_percent(found[name]) for name in ("value", "low", "high"))
    else:
        value, low, high = (_two(found[name]) for name in ("value", "low", "high"))
    if value == "–":
        return value
    return f"{value}{' %' if percent else ''} ({low if low == high == '–' else f'{low} to {high}'})"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}"


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
