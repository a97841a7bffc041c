"""``organon verify``: whether what is on record is what was done."""

import typer

from orchestrator import services
from orchestrator.cli.campaign import IdArgument
from orchestrator.cli.output import Json, console, print_json
from orchestrator.cli.progress import progress_bar
from orchestrator.settings import load_settings


def verify(campaign: IdArgument, json: Json = False) -> None:
    """Check a campaign's log and tables, and replay every decision and belief from their seeds.

    Exit status 1 where anything differs, or could not be replayed. On the kind of machine that recorded it, all must
    be the same to the last bit; elsewhere within Monte Carlo error. Keep the digest elsewhere: who can write to the
    database could write another log, but not one with this digest.
    """
    import torch

    from orchestrator.verification.verify import verify as verified

    settings = load_settings()
    torch.set_num_threads(1)  # as workers do: with more, sums are added up in another order
    with progress_bar() as told:
        report = verified(settings, services.open_database(settings), campaign, told)
    if json:
        print_json(report.as_dict())
    else:
        for line in report.in_words():
            console.print(line, markup=False)
    if not report.ok:
        raise typer.Exit(1)
