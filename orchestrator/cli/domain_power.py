"""``organon domain power``: how many experiments does this question need?"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domains.loading import find
from orchestrator import services
from orchestrator.cli import power_text
from orchestrator.cli.output import Json, errors, print_json
from orchestrator.cli.progress import progress_bar
from orchestrator.errors import RequestError

if TYPE_CHECKING:
    from domains.document import Domain
    from meta_learner.evaluation.power import PowerReport, Study

NameArgument = Annotated[
    str, typer.Argument(help="A name of the catalogue, or the path of a .yaml file.", metavar="DOMAIN")
]
PolicyOption = Annotated[
    list[str] | None,
    typer.Option("--policy", help=f"{', '.join(services.POLICY_NAMES)}: the first unless told; several are compared."),
]
BudgetOption = Annotated[float | None, typer.Option("--budget", help="The largest to look at; else the domain's.")]
RunsOption = Annotated[int, typer.Option("--runs", help="How many worlds to investigate.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Fixes every draw: same seed, same result.")]
ParticlesOption = Annotated[int, typer.Option("--particles", help="Particles per mechanism and run.")]
ProcessesOption = Annotated[int, typer.Option("--processes", help="Share the work; the result is the same.")]
AssuranceOption = Annotated[
    float, typer.Option("--assurance", help="The share of worlds in which a target is to be met.")
]
ProbabilityOption = Annotated[float, typer.Option("--probability", help="Target: of the true law.")]
WidthOption = Annotated[
    list[str] | None,
    typer.Option("--width", help="Target: NAME=WIDTH, a parameter's 90 % interval narrower than that. Repeatable."),
]
ScoreOption = Annotated[
    float | None, typer.Option("--score", help="Target: of a goal that has a score (maximise, predict), at most this.")
]
PlotOption = Annotated[Path | None, typer.Option("--plot", help="Write the curves to FILE.html as well.")]


def power(
    name: NameArgument,
    policy: PolicyOption = None,
    budget: BudgetOption = None,
    runs: RunsOption = 100,
    seed: SeedOption = 0,
    particles: ParticlesOption = 2000,
    processes: ProcessesOption = 1,
    assurance: AssuranceOption = 0.8,
    probability: ProbabilityOption = 0.95,
    width: WidthOption = None,
    score: ScoreOption = None,
    plot: PlotOption = None,
    json: Json = False,
) -> None:
    """How many experiments does a question need? Simulates campaigns, shows what they know against the budget, and
    answers with the smallest budget that meets a target in most worlds (assurance)."""
    domain = find(name)
    policies = tuple(policy or [services.BEST_POLICY])
    for each in policies:
        services.check_policy(each, domain)
    if plot is not None:
        check_target(plot)
    widths = dict(_width(text) for text in width or [])

    from meta_learner.evaluation.power import Study

    study = Study(policies, budget, runs, seed, particles, processes, assurance, probability, widths, score)
    report = _simulate(domain, study)
    content = report.to_dict()
    if plot is not None:
        from orchestrator.cli.power_plot import write

        write(content, plot)
    if json:
        print_json(content)
    else:
        power_text.print_report(domain, content)
        if plot is not None:
            errors.print(f"\nThe curves are in {plot}", markup=False)


def _simulate(domain: Domain, study: Study) -> PowerReport:
    from meta_learner.evaluation.power import power as simulate_power

    with progress_bar() as told:
        return simulate_power(domain, study, partial(told, f"simulating campaigns of {domain.name}"))


def _width(text: str) -> tuple[str, float]:
    """``km=0.01`` → name and width; RequestError where it is not written so."""
    name, _, number = text.rpartition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise RequestError(f"--width {text}: {number!r} is not a number; write NAME=WIDTH, such as km=0.01") from None


def check_target(path: Path) -> None:
    """RequestError unless a page can be written there."""
    if path.suffix != ".html":
        raise RequestError(f"--plot {path}: the name must end in .html")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise RequestError(f"--plot {path}: there is no folder {folder}; make it first")
    if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise RequestError(f"--plot {path}: it cannot be written; choose another place")
