"""``organon domain``: the questions."""

from typing import Annotated

import typer

from domains import catalogue
from domains.document import Design, Domain, Mechanism, Parameter
from domains.errors import DomainError
from domains.loading import find, load_file
from orchestrator.cli import domain_check
from orchestrator.cli.output import Json, console, print_json, print_table

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
def show(name: Name, json: Json = False) -> None:
    """What a domain asks, what can be set, what is unknown, and its laws."""
    domain = find(name)
    if json:
        print_json({"identity": domain.identity, "document": domain.parsed})
        return
    console.print(
        f"{domain.title}\n{domain.name} · {domain.field} · budget {domain.budget:g} · goal {domain.goal.kind}"
    )
    if domain.summary:
        console.print(f"\n{domain.summary.strip()}")
    console.print("\nWhat can be set")
    print_table(["design", "allowed", "unit"], [[d.name, allowed(d), d.unit] for d in domain.designs])
    console.print("\nRival laws")
    for mechanism in domain.mechanisms:
        _show_mechanism(mechanism)
    console.print("\nWhat comes back")
    rows = [[o.name, f"{o.family}({_arguments(o.arguments)})", o.unit] for o in domain.outcomes]
    print_table(["outcome", "law", "unit"], rows)
    _show_more(domain)


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


def allowed(design: Design) -> str:
    """A design's allowed values in words."""
    if design.kind == "choice":
        return " or ".join(design.options)
    if design.kind == "levels":
        return ", ".join(f"{value:g}" for value in design.values)
    scale = ", evenly in the logarithm" if design.scale == "log" else ""
    return f"{'whole numbers ' if design.kind == 'integer' else ''}{design.low:g} to {design.high:g}{scale}"


def _show_mechanism(mechanism: Mechanism) -> None:
    console.print(f"  {mechanism.name} (weight {mechanism.weight:g})")
    for name, law in mechanism.let:
        console.print(f"    {name} = {' '.join(law.text.split())}", markup=False)
    for parameter in mechanism.parameters:
        console.print(f"    {parameter.name} {_value(parameter)}", markup=False)


def _value(parameter: Parameter) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    label = f"  ({parameter.label})" if parameter.label else ""
    if parameter.prior is None:
        return f"= {parameter.constant:g}{unit}{label}"
    arguments = ", ".join(argument.text for argument in parameter.prior.arguments)
    return f"~ {parameter.prior.family}({arguments}){unit}{label}"


def _arguments(arguments: object) -> str:
    assert isinstance(arguments, dict)
    return ", ".join(f"{name} = {getattr(value, 'text', value)}" for name, value in arguments.items())


def _show_more(domain: Domain) -> None:
    for replay in domain.replays.values():
        console.print(f"\nreplay:{replay.name}  {replay.file}  {replay.source}", markup=False)
    for reference in domain.references:
        console.print(f"  {reference}", markup=False)
