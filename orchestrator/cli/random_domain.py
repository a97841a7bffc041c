"""``organon domain random``: a random domain, to look at or to try things on."""

from typing import Annotated

import typer

from domains.loading import dump
from orchestrator.cli.output import Json, print_json


def random(
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same domain everywhere.")] = 0,
    json: Json = False,
) -> None:
    """Write a random domain: a made-up question of the kind that agents are trained on."""
    from domains.random_domains import random_domain  # scipy takes a moment

    domain = random_domain(seed)
    if json:
        print_json({"identity": domain.identity, "document": domain.parsed})
    else:
        print(dump(domain), end="")
