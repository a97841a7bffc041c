"""Options of the commands that change or keep what is on record: who asks, and why."""

from typing import Annotated

import typer

from orchestrator.people import Why, this_person

ByOption = Annotated[str | None, typer.Option("--by", help="Who asks for it, for the log. (default: you)")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the log.")]


def why(by: str | None, reason: str) -> Why:
    """Both as the services take them."""
    return Why(by or this_person(), reason)
