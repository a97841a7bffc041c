"""``organon campaign``: sending the agent out, and what it found."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from experiments_db.database import Database
from experiments_db.models import GOES_ON
from orchestrator import services
from orchestrator.cli.campaign_options import asks_for_campaign
from orchestrator.cli.campaign_steering import IdArgument, add_commands
from orchestrator.cli.keeping_options import ByOption, ReasonOption, why
from orchestrator.cli.output import Json, console, errors, print_json, print_table
from orchestrator.errors import OrganonError
from orchestrator.lease import AWAY
from orchestrator.settings import Settings, load_settings
from orchestrator.suggestion_rules import answers_elsewhere

app = typer.Typer(help="Campaigns: many runs of one domain, policy, laboratory and seed.", no_args_is_help=True)

add_commands(app)
_POLL_SECONDS = 0.2


@app.command()
@asks_for_campaign
def run(
    request: services.CampaignRequest,
    out: Annotated[Path | None, typer.Option("--out", help="Export here when done: FILE.csv or FILE.parquet.")] = None,
    json: Json = False,
) -> None:
    """Create a campaign and see it through: broker and worker are started if none is at work."""
    settings = load_settings()
    if out is not None:
        services.check_export(out)
    status = run_to_the_end(settings, request)
    if out is not None:
        services.export_campaign(services.open_database(settings), status["id"], out)
    if json:
        print_json(status)
    else:
        console.print(status["finding"]["text"], markup=False)
        console.print(f"\ncampaign {status['id']}" + (f", exported to {out}" if out else ""), markup=False)


@app.command()
@asks_for_campaign
def create(request: services.CampaignRequest, json: Json = False) -> None:
    """Record a campaign for the workers (organon worker, or organon start) and return at once."""
    settings = load_settings()
    created = services.create_campaign(settings, services.open_database(settings), request)
    if json:
        print_json({"id": created.id})
    else:
        console.print(f"campaign {created.id} is scheduled; organon campaign show {created.id} follows it")


@app.command("list")
def list_campaigns(
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=1000)] = 20,
    status: Annotated[str | None, typer.Option(help="Only those of this status.")] = None,
    json: Json = False,
) -> None:
    """Campaigns, newest first."""
    found = services.list_campaigns(services.open_database(load_settings()), limit=limit, status=status)
    if json:
        print_json(found)
        return
    rows = [
        [c["id"], c["status"], f"{c['progress']['share']:.0%}", c["domain"], c["policy"], c["laboratory"], c["runs"]]
        for c in found
    ]
    print_table(["id", "status", "done", "domain", "policy", "laboratory", "runs"], rows)
    if not found:
        console.print("No campaign yet. Begin with: organon campaign run --domain enzyme-kinetics")


@app.command()
def show(campaign: IdArgument, json: Json = False) -> None:
    """A campaign's status, progress and finding."""
    status = services.campaign_status(services.open_database(load_settings()), campaign)
    if json:
        print_json(status)
        return
    progress = status["progress"]
    console.print(
        f"campaign {status['id']}: {status['status']}, {progress['share']:.0%} done, "
        f"{progress['experiments']} experiments\n"
        f"{status['domain']}, {_policy(status)}, {status['laboratory']}, {status['runs']} runs, seed {status['seed']}",
        markup=False,
    )
    if status["data"]:
        data = status["data"]
        console.print(
            f"started from {data['experiments']} experiments of {data['file']} (SHA-256 {data['sha256'][:12]})",
            markup=False,
        )
    came = "it was imported from another installation and never runs here" if status["imported"] else ""
    for line in (came, *status["conduct"], status["message"], status["waits_for"]):
        if line:
            console.print(line, markup=False)
    if status["finding"]:
        console.print(f"\n{status['finding']['text']}", markup=False)


def _policy(status: dict[str, Any]) -> str:
    agent = status["settings"].get("agent")
    return str(status["policy"]) + (f" (weights {agent['weights'][:12]})" if agent else "")


@app.command()
def export(
    campaign: IdArgument,
    out: Annotated[Path, typer.Option("--out", help="FILE.csv or FILE.parquet.")],
    json: Json = False,
) -> None:
    """Write a campaign's experiments to a file, one row each."""
    services.check_export(out)
    rows = services.export_campaign(services.open_database(load_settings()), campaign, out)
    if json:
        print_json({"file": str(out), "rows": rows})
    else:
        console.print(f"{rows} experiments written to {out}", markup=False)


@app.command()
def pause(campaign: IdArgument, by: ByOption = None, reason: ReasonOption = "", json: Json = False) -> None:
    """Stop a campaign after the step at hand."""
    database = services.open_database(load_settings())
    _steered(services.pause_campaign(database, campaign, why(by, reason)), "paused", json)


@app.command()
def resume(campaign: IdArgument, by: ByOption = None, reason: ReasonOption = "", json: Json = False) -> None:
    """Let a paused campaign go on."""
    settings = load_settings()
    database = services.open_database(settings)
    _steered(services.resume_campaign(settings, database, campaign, why(by, reason)), "resumed", json)


@app.command()
def cancel(campaign: IdArgument, by: ByOption = None, reason: ReasonOption = "", json: Json = False) -> None:
    """End a campaign for good; what it has found out stays on record."""
    database = services.open_database(load_settings())
    _steered(services.cancel_campaign(database, campaign, why(by, reason)), "cancelled", json)


def _steered(campaign: str, what: str, json: bool) -> None:
    if json:
        print_json({"id": campaign, "status": what})
    else:
        console.print(f"campaign {campaign} is {what}")


def run_to_the_end(settings: Settings, request: services.CampaignRequest, label: str = "") -> dict[str, Any]:
    """Create a campaign, have it done, with a progress bar; OrganonError with the reason if it fails."""
    from orchestrator.worker import default_processes, stop_on_sigterm, workers

    database = services.open_database(settings)
    processes = min(default_processes(), len(services.block_sizes(request.runs, settings.block_runs)))
    services.check_campaign(settings, request)
    stop_on_sigterm()
    with workers(settings, processes=processes) as supervisor:
        campaign = services.create_campaign(settings, database, request).id
        if request.approval or answers_elsewhere(request.laboratory):
            errors.print(f"campaign {campaign} asks people: organon lab pending {campaign}")
        try:
            with _progress_bar() as bar:
                _follow(database, campaign, supervisor.check, bar, label or str(request.domain))
        except KeyboardInterrupt:
            errors.print(f"\ncampaign {campaign} is on record and goes on with the next worker: organon worker")
            raise
    status = services.campaign_status(database, campaign)
    if status["status"] != "finished":
        raise OrganonError(f"campaign {campaign} {status['status']}: {status['message'] or 'no reason was recorded'}")
    return status


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("experiments"),
        TimeRemainingColumn(),
        console=errors,
    )


def _follow(database: Database, campaign: str, check: Any, bar: Progress, label: str) -> None:
    """Show progress until the campaign has ended, looking after the workers meanwhile."""
    task = bar.add_task(label, total=None)
    while True:
        check()
        with suppress(*AWAY):  # the record may be away for a while
            line = services.campaign_progress(database, campaign)
            bar.update(task, completed=line["experiments"], total=line["expected"])
            if line["status"] not in GOES_ON:
                bar.update(task, total=line["experiments"])
                return
            if line["status"] == "paused" and line["message"]:
                return  # at its cap: nobody resumes it but by extending it
        time.sleep(_POLL_SECONDS)
