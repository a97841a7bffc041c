"""``organon benchmark misspecification``: how often the agent notices that no law of its domain is true."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from domains.loading import find
from meta_learner.evaluation import results
from orchestrator import services
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.cli.progress import progress_bar

_NOTE = (
    "A law is left out of what the agent believes in, and worlds are drawn from that law. noticed: the share of runs "
    "that raised the alarm at any time, with its 95 % Wilson interval. Odds of the true law: what could be noticed by "
    "who knows which law is missing; where these stay below 20 to 1 (3.0 nats), rivals mimic the truth within the "
    "budget. Rows with none left out are false alarms."
)


def misspecification(
    domains: Annotated[
        list[str] | None, typer.Argument(help="Domains with several laws; without: six of them.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Worlds a case.")] = 100,
    policy: Annotated[str, typer.Option(help="Who designs the experiments.")] = "expected-information-gain",
    seed: Annotated[int, typer.Option(help="Fixes worlds, noise and designs.")] = 2026,
    constructed: Annotated[bool, typer.Option(help="With three cases that are wrong by construction.")] = True,
    out: Annotated[Path | None, typer.Option(help="Write the JSON here, too, after every case.")] = None,
    as_json: Json = False,
) -> None:
    """How often does the agent notice that no law of its domain is true?"""
    import torch

    from meta_learner.evaluation import misspecification as evaluation
    from meta_learner.evaluation import misspecified

    names = domains or list(misspecified.DOMAINS)
    for name in names:
        services.check_policy(policy, find(name))
    torch.set_num_threads(1)
    plan = evaluation.Plan(runs=runs, policy=policy, seed=seed)
    cases = [case for name in names for case in misspecified.cases(name)]
    if constructed:
        cases += misspecified.constructed()
    rows: list[dict[str, Any]] = []
    started = time.perf_counter()
    with progress_bar() as told:
        for number, case in enumerate(cases):

            def done(here: int, case: Any = case, before: int = number * runs) -> None:
                told(f"{case.domain}: {case.what}", (before + here) / (runs * len(cases)))

            found = evaluation.investigate(case, plan, done)
            rows.append(evaluation.row(case, found))
            report = _report([*rows, *evaluation.totals(rows)], evaluation.COLUMNS, vars(plan))
            report["settings"]["seconds"] = round(time.perf_counter() - started)
            if out is not None:
                results.save(out, report)
    if as_json:
        print_json(report)
    else:
        _print(report)


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
