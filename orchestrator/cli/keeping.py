"""``organon campaign archive | import | forget | prune``, ``organon backup | restore``, ``organon db prune``: keeping
what is on record."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator import jobs, services
from orchestrator.archives.retention import forget_campaign, to_prune
from orchestrator.archives.retention import prune as pruned
from orchestrator.cli.campaign import IdArgument
from orchestrator.cli.keeping_options import ByOption, ReasonOption, why
from orchestrator.cli.output import Json, console, print_json
from orchestrator.cli.progress import progress_bar
from orchestrator.settings import load_settings

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="The file to write. (default: archives/ID.organon in the home)")
]


def archive(campaign: IdArgument, out: OutOption = None, json: Json = False) -> None:
    """Write one file with all that is recorded of a campaign, for another installation to import and verify."""
    from orchestrator.archives.writing import archive as archived

    settings = load_settings()
    with progress_bar() as told:
        identity, file, digest = archived(settings, services.open_database(settings), campaign, out, told)
    told_as = f"campaign {identity} is archived in {file}\ndigest {digest}"
    _say({"campaign": identity, "file": str(file), "digest": digest}, told_as, json)


def import_(file: FileArgument, by: ByOption = None, reason: ReasonOption = "", json: Json = False) -> None:
    """Bring in a campaign from an archive, marked as imported; it never runs here, and nothing here is changed."""
    from orchestrator.archives.reading import import_archive

    settings = load_settings()
    with progress_bar() as told:
        done = import_archive(settings, services.open_database(settings), file, why(by, reason), told)
    words = (
        f"campaign {done.campaign} is imported, with {done.experiments} experiments\ndigest {done.digest} where it "
        f"came from\norganon verify {done.campaign} replays it"
    )
    _say(asdict(done), words, json)


def forget(
    campaign: IdArgument, out: OutOption = None, by: ByOption = None, reason: ReasonOption = "", json: Json = False
) -> None:
    """Archive a campaign that has ended, then delete it; the log says that it was here."""
    settings = load_settings()
    done = forget_campaign(settings, services.open_database(settings), campaign, out, why(by, reason))
    _say(asdict(done), f"campaign {done.campaign} is forgotten; its archive is {done.file}", json)


def prune(
    older_than: Annotated[float, typer.Option("--older-than", min=0, help="Days since the campaign ended.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the archives. (default: in the home)")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would be forgotten.")] = False,
    by: ByOption = None,
    reason: ReasonOption = "",
    json: Json = False,
) -> None:
    """Forget all campaigns that ended longer ago than so many days, each archived first."""
    settings = load_settings()
    database = services.open_database(settings)
    if not yes:
        found = to_prune(database, older_than)
        _say({"would_forget": found}, f"{len(found)} campaigns would be forgotten (--yes): {', '.join(found)}", json)
        return
    done = list(pruned(settings, database, older_than, out, why(by, reason)))
    lines = [f"campaign {each.campaign} is forgotten; its archive is {each.file}" for each in done]
    _say({"forgotten": [asdict(each) for each in done]}, "\n".join(lines) or "no campaign is as old as that", json)


def prune_jobs(
    older_than: Annotated[float, typer.Option("--older-than", min=0, help="Days since the job ended.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would be deleted.")] = False,
    json: Json = False,
) -> None:
    """Delete jobs of the pages that ended longer ago than so many days, and the history of workers until then."""
    database = services.open_database(load_settings())
    if not yes:
        found = jobs.old_jobs(database, older_than)
        _say({"would_delete": found}, f"{found} jobs would be deleted (--yes)", json)
        return
    gone = jobs.prune(database, older_than)
    _say({"deleted": gone}, f"{gone} jobs were deleted", json)


def backup(file: FileArgument, json: Json = False) -> None:
    """Write the whole record to one file, while workers go on; it restores into SQLite and PostgreSQL alike."""
    from experiments_db.dump import backup as written

    settings = load_settings()
    with progress_bar() as told:
        rows = written(services.open_database(settings), file, told)
    _say({"file": str(file), "rows": rows}, f"{sum(rows.values())} rows written to {file}", json)


def restore(file: FileArgument, json: Json = False) -> None:
    """Fill an empty record (ORGANON_HOME or ORGANON_DATABASE_URL) from a backup, all of it or nothing."""
    from experiments_db.dump import restore as read

    settings = load_settings()
    with progress_bar() as told:
        rows = read(services.open_database(settings), file, told)
    _say({"rows": rows}, f"{sum(rows.values())} rows restored from {file}", json)


def _say(values: dict[str, Any], words: str, json: bool) -> None:
    if json:
        print_json(values)
    else:
        console.print(words, markup=False)


def add_to(app: typer.Typer, campaign: typer.Typer, db: typer.Typer) -> None:
    """Put the commands in their places."""
    campaign.command()(archive)
    campaign.command("import")(import_)
    campaign.command()(forget)
    campaign.command()(prune)
    db.command("prune")(prune_jobs)
    app.command()(backup)
    app.command()(restore)
