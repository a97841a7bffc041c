"""``organon benchmark misspecification``: how often the agent notices that no law of its domain is true."""

import json
import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from orchestrator.cli.output import Json, console, errors, print_json, print_table
from orchestrator.errors import RequestError

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
    from meta_learner.policies import POLICIES

    if policy not in POLICIES:
        raise RequestError(f"there is no policy {policy!r}; use one of {', '.join(sorted(POLICIES))}")
    torch.set_num_threads(1)
    plan = evaluation.Plan(runs=runs, policy=policy, seed=seed)
    cases = [case for name in domains or misspecified.DOMAINS for case in misspecified.cases(name)]
    if constructed:
        cases += misspecified.constructed()
    rows: list[dict[str, Any]] = []
    started = time.perf_counter()
    with _bar() as bar:
        task = bar.add_task("", total=runs * len(cases))
        for number, case in enumerate(cases):
            bar.update(task, description=f"{case.domain}: {case.what}")

            def done(here: int, before: int = number * runs) -> None:
                bar.update(task, completed=before + here)

            found = evaluation.investigate(case, plan, done)
            rows.append(evaluation.row(case, found))
            report = _report([*rows, *evaluation.totals(rows)], evaluation.COLUMNS, vars(plan))
            report["settings"]["seconds"] = round(time.perf_counter() - started)
            if out is not None:
                out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        _print(report)


def _report(rows: list[dict[str, Any]], columns: tuple[str, ...], settings: dict[str, Any]) -> dict[str, Any]:
    import torch

    return {
        "kind": "misspecification",
        "title": "Misspecified runs noticed",
        "columns": list(columns),
        "rows": [[_cell(row.get(column)) for column in columns] for row in rows],
        "note": _NOTE,
        "version": version("organon"),
        "commit": _commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, torch {torch.__version__}, 1 thread",
        "seed": settings["seed"],
        "settings": {name: value for name, value in settings.items() if name != "seed"},
    }


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return "{:.2f} to {:.2f}".format(*value)
    return round(value, 3) if isinstance(value, float) else value


def _commit() -> str:
    """The commit of a checkout; empty where there is none."""
    try:
        told = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return told.stdout.strip()


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def _print(report: dict[str, Any]) -> None:
    console.print(report["title"], style="bold")
    print_table(report["columns"], report["rows"])
    console.print(report["note"], markup=False)
