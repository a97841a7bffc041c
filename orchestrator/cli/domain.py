"""``organon domain``: the questions."""

from typing import Annotated

import typer

from domains import catalogue
from domains.document import Design, Domain, Mechanism, Parameter
from domains.loading import find, load_file
from domains.measurements import read_replay
from orchestrator.cli.output import Json, console, print_json, print_table

app = typer.Typer(help="Questions written as domains: rival laws, unknowns, designs, outcomes.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A name of the catalogue, or the path of a .yaml file.", metavar="DOMAIN")]


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
def check(name: Name, json: Json = False) -> None:
    """Check a domain: its document, its tables, and that its laws simulate finite numbers."""
    from orchestrator.checking import check_domain

    domain = find(name)
    replays = {replay: len(read_replay(domain, replay).designs) for replay in domain.replays}
    report = {**check_domain(domain), "replays": replays}
    if json:
        print_json(report)
    else:
        rows = [[law["mechanism"], f"{law['broken']:.2%}", law["example"]] for law in report["mechanisms"]]
        print_table(["law", "simulated values that are not finite", "for example at"], rows)
        for replay, count in report["replays"].items():
            console.print(f"replay {replay}: {count} rows")
        console.print("The domain is in order." if report["ok"] else "The domain is not in order.")
    if not report["ok"]:
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
