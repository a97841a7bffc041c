"""The options of ``organon train``."""

from typing import Annotated

import typer

from meta_learner.agents.families import SPECIALISTS
from meta_learner.training.recipe import shipped

_PANEL = "Specialists"
CONTRASTS = 2048  # of an episode; the trainer's own default is too few for a question of more than five nats

WhatArgument = Annotated[
    str | None,
    typer.Argument(
        help=f"A recipe: a .yaml file, or one that comes with Organon ({', '.join(shipped())}). Or a family of "
        f"specialists: {', '.join(SPECIALISTS)}.",
        metavar="RECIPE|FAMILY",
    ),
]
MinutesOption = Annotated[
    float | None, typer.Option("--minutes", min=0, help="Stop after so long; the same command goes on later.")
]
PastOption = Annotated[
    bool, typer.Option("--past", help="List the trainings there have been, and train nothing.")
]  # fmt: skip
DomainOption = Annotated[
    str | None, typer.Option("--domain", help="A name of the catalogue or a .yaml file.", rich_help_panel=_PANEL)
]
ExperimentsOption = Annotated[
    int | None,
    typer.Option("--experiments", min=1, help="To simulate in all. (default: 200,000)", rich_help_panel=_PANEL),
]
NameOption = Annotated[
    str | None, typer.Option("--name", help="Of the agent. (default: FAMILY-DOMAIN)", rich_help_panel=_PANEL)
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, help="Same seed, same weights. (default: 0)", rich_help_panel=_PANEL)
]
BudgetOption = Annotated[
    float | None,
    typer.Option("--budget", min=0, help="Of an episode. (default: the domain's)", rich_help_panel=_PANEL),
]
ContrastsOption = Annotated[
    int | None,
    typer.Option(
        "--contrasts",
        min=2,
        help="Worlds that a reward tells the truth from; more nats than their logarithm count for nothing; "
        "fewer for laws that are slow. "
        f"(default: {CONTRASTS:,})",
        rich_help_panel=_PANEL,
    ),
]
OptionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="Of the family, such as width=32, cell=lstm, first_order=true; repeatable.",
        rich_help_panel=_PANEL,
    ),
]
