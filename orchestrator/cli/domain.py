"""``organon domain``: the questions."""

from pathlib import Path
from typing import Annotated

import typer

from domains import catalogue
from domains import latex as domains_latex
from domains.errors import DomainError
from domains.loading import find, load_file
from domains.starting import start
from orchestrator.cli import domain_check, domain_show
from orchestrator.cli.domain_power import power
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.cli.random_domain import random

app = typer.Typer(help="Questions written as domains: rival laws, unknowns, designs, outcomes.", no_args_is_help=True)
_NAME_HELP = "A name of the catalogue, or the path of a .yaml file."
Name = Annotated[str, typer.Argument(help=_NAME_HELP, metavar="DOMAIN")]


@app.command("list")
def list_domains(json: Json = False) -> None:
    """The catalogue."""
    domains = [load_file(catalogue.path(name)) for name in catalogue.names()]
    if json:
        print_json([{"name": d.name, "field": d.field, "title": d.title, "replays": list(d.replays)} for d in domains])
        return
    print_table(["name", "field", "question"], [[d.name, d.field, d.title] for d in domains])


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Small letters, digits and -, as in my-question.", metavar="NAME")],
    like: Annotated[str | None, typer.Option("--like", help="Start from this domain of the catalogue.")] = None,
    json: Json = False,
) -> None:
    """Write NAME.yaml into this folder: a commented example to turn into a question of your own."""
    started = start(name, Path(), like)
    if json:
        print_json({"document": str(started.document), "tables": [str(table) for table in started.tables]})
        return
    console.print(f"{started.document} is written" + (f", a copy of {like}" if like else ""), markup=False)
    for table in started.tables:
        console.print(f"{table} holds its real measurements", markup=False)
    console.print(
        f"Next: make it your own in an editor, then\n  organon domain check {started.document}\n"
        f"  organon campaign run --domain {started.document}",
        markup=False,
    )


@app.command()
def show(
    name: Name,
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX fragment (amsmath) instead.")] = False,
    json: Json = False,
) -> None:
    """What a domain asks, what can be set, what is unknown, and its laws as mathematics."""
    domain = find(name)
    if json:
        print_json({"identity": domain.identity, "document": domain.parsed})
    elif latex:
        print(domains_latex.fragment(domain))
    else:
        domain_show.print_domain(domain)


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help=_NAME_HELP, metavar="[DOMAIN]...")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every domain of the catalogue.")] = False,
    json: Json = False,
) -> None:
    """Check domains: the document, its tables, whether its laws simulate finite numbers (if not, exit status 2), and
    what is to no purpose: laws that nothing tells apart, settings and parameters that change nothing."""
    wanted = wanted_domains(names or [], everything)
    reports = domain_check.examine_all([find(name) for name in wanted])
    single = len(wanted) == 1 and not everything
    if json:
        print_json(reports[0] if single else reports)
    else:
        for report in reports:
            (domain_check.print_report if single else domain_check.print_line)(report)
    if not all(report["ok"] for report in reports):
        raise typer.Exit(2)


def wanted_domains(names: list[str], everything: bool) -> list[str]:
    """The names given, each once, and those of the whole catalogue if ``everything`` is wanted."""
    wanted = list(dict.fromkeys([*names, *(catalogue.names() if everything else ())]))
    if not wanted:
        raise DomainError("which domain? Name some, or a .yaml file, or say --all for the whole catalogue")
    return wanted


app.command()(power)
app.command()(random)
