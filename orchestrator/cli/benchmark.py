"""``organon benchmark``: how much do policies learn, by bounds that know nothing of our beliefs?

``organon benchmark NAME`` measures policies on a domain; other words after ``benchmark`` are commands of their own.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from domains.document import Domain
from domains.loading import find
from meta_learner.evaluation import results
from meta_learner.evaluation.published import default_contrasts, published
from orchestrator import services
from orchestrator.cli import benchmark_options as options
from orchestrator.cli.benchmark_adaptation import HELP, adaptation
from orchestrator.cli.benchmark_calibration import calibration
from orchestrator.cli.benchmark_misspecification import misspecification
from orchestrator.cli.benchmark_peers import peers
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.cli.progress import progress_bar
from orchestrator.device import placed
from orchestrator.errors import RequestError
from orchestrator.settings import load_settings

if TYPE_CHECKING:
    from meta_learner.evaluation.benchmark import Setup

MEASURE = "domain"
_NAMES = services.POLICY_NAMES
_BLIND = ("random", "sobol")  # policies that do not look at the belief


class _DomainByDefault(TyperGroup):
    """A group whose first word, where it is none of its commands, is taken as a domain: ``benchmark NAME``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = not args or args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else [MEASURE, *args])


app = typer.Typer(cls=_DomainByDefault, no_args_is_help=True)


@app.callback()
def benchmark() -> None:
    """How much do policies learn? ``organon benchmark NAME`` measures them on a domain."""


app.command("adaptation", help=HELP)(adaptation)
app.command("calibration")(calibration)
app.command("misspecification")(misspecification)
app.command("peers")(peers)


@app.command(MEASURE)
def measure(
    name: options.DomainArgument,
    policy: options.PoliciesOption = None,
    runs: options.RunsOption = 500,
    seed: options.SeedOption = 2026,
    contrasts: options.ContrastsOption = None,
    proposals: options.ProposalsOption = 4000,
    budget: options.BudgetOption = None,
    particles: options.ParticlesOption = 2000,
    block_runs: options.BlockRunsOption = 25,
    processes: options.ProcessesOption = 1,
    device: options.DeviceOption = None,
    blind: options.BlindOption = False,
    out: options.RowsOption = None,
    json: Json = False,
) -> None:
    """Bounds on what policies learn in simulated runs of a domain, beside what others published."""
    domain, device = find(name), device or load_settings().device
    chosen = _policies(domain, policy, blind)
    from meta_learner.belief import BeliefSettings
    from meta_learner.evaluation.benchmark import Setup
    from meta_learner.policies import POLICIES

    whole = Setup(
        domain,
        POLICIES[chosen[0]](),
        runs=runs,
        seed=seed,
        contrasts=contrasts or default_contrasts(domain.name),
        proposals=proposals,
        budget=budget,
        block_runs=block_runs,
        settings=BeliefSettings(particles=particles),
        blind=blind,
    )
    with placed(device):
        rows = _rows([replace(whole, policy=POLICIES[which]()) for which in chosen], (device, processes), out)
    _show(domain, rows, json)


def _rows(setups: "list[Setup]", machine: tuple[str, int], out: Path | None) -> list[dict[str, Any]]:
    """A row a setup, each written to the file as soon as it is measured. RequestError where one would replace more
    runs of the same setting."""
    better = None if out is None else results.better_kept(out, [setup.row for setup in setups])
    if better:
        raise RequestError(
            f"{out} holds more than {setups[0].runs} runs of {better}, which these would replace; name another file"
        )
    rows = []
    for setup in setups:
        rows.append(_row(setup, *machine))
        if out is not None:
            results.merge(out, _document(setup.domain, rows[-1:]))
    return rows


def _document(domain: Domain, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "benchmark", "domain": domain.name, "title": domain.title, "rows": rows}


def _policies(domain: Domain, wanted: list[str] | None, blind: bool) -> list[str]:
    """Those asked for, else all that serve the domain."""
    for name in wanted or []:
        services.check_policy(name, domain)
        if blind and name not in _BLIND:
            raise RequestError(f"--blind keeps no belief, which the policy {name!r} looks at; leave --blind out")
    return list(dict.fromkeys(wanted or [name for name in _BLIND if blind] or filter(_serves(domain), _NAMES)))


def _serves(domain: Domain) -> Callable[[str], bool]:
    def serves(name: str) -> bool:
        try:
            services.check_policy(name, domain)
        except RequestError:
            return False
        return True

    return serves


def _row(setup: "Setup", device: str, processes: int) -> dict[str, Any]:
    from meta_learner.evaluation.benchmark import measure as measured

    title = f"{setup.domain.name}, {setup.policy.name}"
    with progress_bar() as told:
        row = asdict(measured(setup, processes=processes, tell=lambda what, share: told(f"{title}: {what}", share)))
    return {**row, **results.provenance(device, processes)}


COLUMNS = (
    "policy", "runs", "sPCE", "sNMC", "sACE", "sVNMC", "belief's own", "at the cap", "ms/decision",
)  # fmt: skip


def _show(domain: Domain, rows: list[dict[str, Any]], json: bool) -> None:
    if json:
        print_json(results.plain(_document(domain, rows)))
        return
    first = rows[0]
    console.print(
        f"{domain.name}: {domain.title}\nnats a run ± one standard error; T = {first['experiments']}, "
        f"L = {first['contrasts']:,}, budget {first['budget']:g}, seed {first['seed']}, "
        f"{first['particles'] or 'no'} particles, blocks of {first['block_runs']} runs",
        markup=False,
    )
    print_table(COLUMNS, [cells(row) for row in rows] + _published(domain, first))
    for row in rows:
        if row["failed"]:
            console.print(results.failed_in_words(row), markup=False)


def cells(row: dict[str, Any]) -> list[object]:
    """A measured row as text."""
    bounds = [_nats(row[name]) for name in ("spce", "snmc", "sace", "svnmc", "information")]
    return [row["policy"], row["runs"], *bounds, f"{row['capped']:.0%}", f"{1000 * row['decision_seconds']:.3g}"]


def _nats(estimate: dict[str, float | None] | None) -> str | None:
    if estimate is None or estimate["mean"] is None:
        return None
    return f"{estimate['mean']:.3f} ± {estimate['se'] or 0:.3f}"


def _published(domain: Domain, row: dict[str, Any]) -> list[list[object]]:
    """Published rows, where they are of this setting."""
    known = published().get(domain.name)
    if known is None or (known.contrasts, known.budget) != (row["contrasts"], row["budget"]):
        return []
    table: list[list[object]] = []
    for p in known.rows:
        name = f"{p.policy}, published" + (f" ({p.differs})" if p.differs else "")
        table.append([name, None, _plus_minus(p), p.upper, *[None] * (len(COLUMNS) - 4)])
    return table


def _plus_minus(row: Any) -> str:
    error = f" ± {row.error:g}" if row.error else f" ± {row.ci:g} (95 %)" if row.ci else ""
    return f"{row.lower:g}{error}"
