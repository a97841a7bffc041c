"""``organon domain``: the questions."""

from typing import Annotated

import typer

from domains import catalogue
from domains import latex as domains_latex
from domains.errors import DomainError
from domains.loading import find, load_file
from orchestrator.cli import domain_check, domain_show
from orchestrator.cli.output import Json, print_json, print_table

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
    wanted = [*(names or ()), *(catalogue.names() if everything else ())]
    if not wanted:
        raise DomainError("which domain? Name some, or a .yaml file, or say --all for the whole catalogue")
    domains = [find(name) for name in dict.fromkeys(wanted)]
    reports = domain_check.examine_all(domains)
    single = len(wanted) == 1 and not everything
    if json:
        print_json(reports[0] if single else reports)
    else:
        for report in reports:
            (domain_check.print_report if single else domain_check.print_line)(report)
    if not all(report["ok"] for report in reports):
        raise typer.Exit(2)
