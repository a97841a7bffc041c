"""``organon worker | start | doctor | db | demo``: running Organon."""

from typing import Annotated

import typer

from experiments_db import console as sql
from experiments_db import schema
from orchestrator import services
from orchestrator.cli.output import Json, console, errors, print_json, print_table
from orchestrator.logs import start_logging
from orchestrator.settings import load_settings

db = typer.Typer(help="The record: everything that was done.", no_args_is_help=True)
Processes = Annotated[
    int | None, typer.Option(min=1, max=256, help="Worker processes. (default: one a core, at most four)")
]


def worker(processes: Processes = None) -> None:
    """Work on campaigns until stopped (Ctrl-C)."""
    from orchestrator.worker import default_processes, run_worker

    settings = load_settings()
    start_logging(settings)
    count = processes or default_processes()
    run_worker(settings, count, lambda: console.print(f"{count} worker processes are ready; Ctrl-C stops them"))


def start(
    processes: Processes = None,
    port: Annotated[int | None, typer.Option(help="The pages' port. (default: 8501)", min=1, max=65535)] = None,
    with_api: Annotated[bool, typer.Option("--api", help="The HTTP interface, too (organon api).")] = False,
) -> None:
    """Bring up broker, workers and pages, until stopped (Ctrl-C)."""
    from orchestrator.serve import serve
    from orchestrator.worker import default_processes

    settings = load_settings()
    if port is not None:
        settings = settings.model_copy(update={"ui_port": port})
    start_logging(settings)
    serve(settings, processes or default_processes(), console.print, with_api=with_api)


def api(
    port: Annotated[int | None, typer.Option(help="Where it listens. (default: 8502)", min=1, max=65535)] = None,
) -> None:
    """Serve the HTTP interface until stopped (Ctrl-C). Its clients need tokens: organon token create."""
    from orchestrator.api.app import serve_api

    settings = load_settings()
    if port is not None:
        settings = settings.model_copy(update={"api_port": port})
    start_logging(settings)
    serve_api(settings, console.print)


def pages(
    port: Annotated[int | None, typer.Option(help="Where they listen. (default: 8501)", min=1, max=65535)] = None,
) -> None:
    """Serve the pages alone, for workers that run elsewhere, until stopped (Ctrl-C)."""
    from orchestrator.serve import serve_pages

    settings = load_settings()
    if port is not None:
        settings = settings.model_copy(update={"ui_port": port})
    serve_pages(settings, console.print)


@db.command("upgrade")
def upgrade() -> None:
    """Bring the record to the tables of this version, as any command does that opens it."""
    database = services.open_database(load_settings())
    database.close()
    console.print(f"The record has the tables of this version ({schema.HEAD})")


@db.command("query")
def query(
    statement: Annotated[str, typer.Argument(help="One SELECT statement; nothing else is carried out.")],
    json: Json = False,
    limit: Annotated[int, typer.Option(help="At most this many rows.", min=1, max=1_000_000)] = 1000,
) -> None:
    """Ask the record in SQL: read-only, whatever is typed."""
    settings = load_settings()
    services.open_database(settings).close()  # a new home has its tables, then, to ask
    table = sql.select(settings.database, statement, max_rows=limit)
    if json:
        print_json([dict(zip(_distinct(table.columns), row, strict=True)) for row in table.rows])
    else:
        print_table(table.columns, table.rows)
    if table.truncated:
        errors.print(f"… and more: only the first {len(table.rows)} rows are shown (--limit)")


def _distinct(columns: tuple[str, ...]) -> list[str]:
    """Column names made different, as JSON needs them: a, a_2, a_3."""
    return [
        name if columns.index(name) == place else f"{name}_{columns[: place + 1].count(name)}"
        for place, name in enumerate(columns)
    ]


def doctor(
    json: Json = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this check; may be repeated.")] = None,
    at_work: Annotated[
        bool, typer.Option("--at-work", help="It is a fault if no workers are at work on this machine.")
    ] = False,
) -> None:
    """Say what works and what does not, and how to mend it. Exit status 2 where something does not."""
    from orchestrator.doctor import examine

    checks = examine(only or (), workers_needed=at_work)
    if json:
        print_json([check.as_dict() for check in checks])
    else:
        for check in checks:
            console.print(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:<12} {check.found}", markup=False)
            if check.remedy:
                console.print(f"                    → {check.remedy}", markup=False)
    if not all(check.ok for check in checks):
        raise typer.Exit(2)


def demo() -> None:
    """The main job: a finding from real measurements, and one from a simulated campaign."""
    from orchestrator.demo import run_demo

    run_demo(load_settings())
