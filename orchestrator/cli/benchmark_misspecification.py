"""``organon benchmark misspecification``: how often the agent notices that no law of its domain is true."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domains.loading import find
from meta_learner.evaluation import results
from orchestrator import services
from orchestrator.cli import benchmark_options as options
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.cli.progress import Told, progress_bar

if TYPE_CHECKING:
    from meta_learner.evaluation.misspecification import Plan
    from meta_learner.evaluation.misspecified import Case

_NOTE = (
    "A law is left out of what the agent believes in, and worlds are drawn from that law. noticed: the share of runs "
    "that raised the alarm at any time, with its 95 % Wilson interval. Odds of the true law: what could be noticed by "
    "who knows which law is missing; where these stay below 20 to 1 (3.0 nats), rivals mimic the truth within the "
    "budget. Rows with none left out are false alarms."
)


def misspecification(
    domains: options.RivalDomainsArgument = None,
    runs: options.CaseRunsOption = 100,
    policy: options.PolicyOption = services.BEST_POLICY,
    seed: options.SeedOption = 2026,
    constructed: options.ConstructedOption = True,
    out: options.ReportOption = None,
    as_json: Json = False,
) -> None:
    """How often does the agent notice that no law of its domain is true?"""
    import torch

    from meta_learner.evaluation import misspecified
    from meta_learner.evaluation.misspecification import Plan

    names = domains or list(misspecified.DOMAINS)
    for name in names:
        services.check_policy(policy, find(name))
    torch.set_num_threads(1)
    cases = [case for name in names for case in misspecified.cases(name)]
    if constructed:
        cases += misspecified.constructed()
    report = _measure(cases, Plan(runs=runs, policy=policy, seed=seed), out)
    if as_json:
        print_json(report)
    else:
        _print(report)


def _measure(cases: "Sequence[Case]", plan: "Plan", out: Path | None) -> dict[str, Any]:
    """The report on all cases, written to the file after each."""
    from meta_learner.evaluation import misspecification as evaluation

    rows: list[dict[str, Any]] = []
    report: dict[str, Any] = {}
    started = time.perf_counter()
    with progress_bar() as told:
        for number, case in enumerate(cases):
            title, before, worlds = f"{case.domain}: {case.what}", number * plan.runs, plan.runs * len(cases)
            done = partial(_tell, told, title, before, worlds)
            rows.append(evaluation.row(case, evaluation.investigate(case, plan, done)))
            settings = {**vars(plan), "seconds": round(time.perf_counter() - started)}
            report = _report([*rows, *evaluation.totals(rows)], evaluation.COLUMNS, settings)
            if out is not None:
                results.save(out, report)
    return report


def _tell(told: Told, title: str, before: int, worlds: int, here: int) -> None:
    told(title, (before + here) / worlds)


def _report(rows: list[dict[str, Any]], columns: tuple[str, ...], settings: dict[str, Any]) -> dict[str, Any]:
    document = {
        "kind": "misspecification",
        "title": "Misspecified runs noticed",
        "columns": list(columns),
        "rows": [[_cell(row.get(column)) for column in columns] for row in rows],
        "note": _NOTE,
        **results.provenance(),
        "seed": settings["seed"],
        "settings": {name: value for name, value in settings.items() if name != "seed"},
    }
    plain: dict[str, Any] = results.plain(document)
    return plain


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return "{:.2f} to {:.2f}".format(*value)
    return round(value, 3) if isinstance(value, float) else value


def _print(report: dict[str, Any]) -> None:
    console.print(report["title"], style="bold")
    print_table(report["columns"], report["rows"])
    console.print(report["note"], markup=False)
