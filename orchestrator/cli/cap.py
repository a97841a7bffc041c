"""``organon cap``: how many experiments, at what cost, an agent, or all together, may run in a day or in total."""

from typing import Annotated

import typer

from orchestrator import caps, services
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.settings import load_settings

app = typer.Typer(help="Caps on what agents may run; a campaign's own: campaign create.", no_args_is_help=True)


@app.command("set")
def set_cap(
    agent: Annotated[str, typer.Option("--agent", help="An agent or policy; without it, all together.")] = "",
    total: Annotated[bool, typer.Option("--total", help="In total, rather than a day (UTC).")] = False,
    experiments: Annotated[int | None, typer.Option("--experiments", help="So many experiments at most.")] = None,
    cost: Annotated[float | None, typer.Option("--cost", help="So much cost at most.")] = None,
    json: Json = False,
) -> None:
    """Set a cap in place of the one there was; with neither --experiments nor --cost there is none then."""
    period = "total" if total else "day"
    caps.set_cap(services.open_database(load_settings()), agent, period, experiments, cost)
    if json:
        print_json({"agent": agent or None, "period": period, "max_experiments": experiments, "max_cost": cost})
    else:
        what = "is set" if experiments is not None or cost is not None else "is taken away"
        console.print(f"the cap of {agent or 'all agents together'} ({period}) {what}", markup=False)


@app.command("list")
def list_caps(json: Json = False) -> None:
    """Caps, and what was run under them."""
    found = caps.list_caps(services.open_database(load_settings()))
    if json:
        print_json(found)
        return
    rows = [
        [
            line["agent"] or "(all together)",
            line["period"],
            f"{line['experiments']} of {line['max_experiments'] if line['max_experiments'] is not None else 'any'}",
            f"{line['cost']:g} of {line['max_cost'] if line['max_cost'] is not None else 'any'}",
            line["reached"],
        ]
        for line in found
    ]
    print_table(["agent", "period", "experiments", "cost", "reached"], rows)
