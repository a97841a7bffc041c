"""``organon campaign retry | extend | recurring``: taking campaigns up again, making them larger, repeating them."""

from dataclasses import asdict
from typing import Annotated

import typer

from orchestrator import recurring, services, steering
from orchestrator.cli.keeping_options import ByOption, ReasonOption, why
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.settings import load_settings

IdArgument = Annotated[str, typer.Argument(help="The campaign's id, or the beginning of it.", metavar="ID")]


def add_commands(app: typer.Typer) -> None:
    """Give ``organon campaign`` these commands."""
    for command in (retry, extend):
        app.command()(command)
    app.command("recurring")(recurring_campaigns)


def retry(campaign: IdArgument, by: ByOption = None, reason: ReasonOption = "", json: Json = False) -> None:
    """Let a campaign that failed go on from what is recorded, once what was wrong is mended."""
    settings = load_settings()
    found = steering.retry_campaign(settings, services.open_database(settings), campaign, why(by, reason))
    if json:
        print_json({"id": found, "status": "retried"})
    else:
        console.print(f"campaign {found} is tried again")


def extend(
    campaign: IdArgument,
    runs: Annotated[int, typer.Option("--runs", help="So many runs more.")] = 0,
    max_experiments: Annotated[
        int | None, typer.Option("--max-experiments", help="The new cap on experiments, of all runs together.")
    ] = None,
    max_cost: Annotated[float | None, typer.Option("--max-cost", help="The new cap on what they cost.")] = None,
    by: ByOption = None,
    reason: ReasonOption = "",
    json: Json = False,
) -> None:
    """Give a campaign more runs or other caps; one that stood at its cap goes on."""
    settings = load_settings()
    extended = steering.extend_campaign(
        settings,
        services.open_database(settings),
        campaign,
        runs=runs,
        max_experiments=max_experiments,
        max_cost=max_cost,
        why=why(by, reason),
    )
    if json:
        print_json(asdict(extended))
    else:
        console.print(f"campaign {extended.id} is extended: {extended.runs} runs, {extended.status}")


def recurring_campaigns(
    stop: Annotated[str | None, typer.Option("--stop", metavar="ID", help="Repeat this campaign no more.")] = None,
    json: Json = False,
) -> None:
    """Campaigns that are repeated (campaign create --every), and when next."""
    database = services.open_database(load_settings())
    if stop is not None:
        stopped = recurring.stop_recurring(database, stop)
        if json:
            print_json({"id": stopped, "status": "stopped"})
        else:
            console.print(f"campaign {stopped} is repeated no more")
        return
    found = recurring.list_recurring(database)
    if json:
        print_json(found)
        return
    rows = [
        [line["campaign"], line["next_at"] or "stopped", f"{line['every_seconds']:g} s", line["made"], line["times"]]
        for line in found
    ]
    print_table(["campaign", "next", "every", "made", "of"], rows)
