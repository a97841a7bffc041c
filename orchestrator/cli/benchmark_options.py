"""The options of the commands under ``organon benchmark``."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator import services

DomainArgument = Annotated[
    str, typer.Argument(help="A name of the catalogue, or the path of a .yaml file.", metavar="DOMAIN")
]
DomainsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[DOMAIN …]", help="Names or paths. (default: the catalogue)")
]
RivalDomainsArgument = Annotated[
    list[str] | None, typer.Argument(help="Domains with several laws; without: six of them.")
]
RunsOption = Annotated[int, typer.Option("--runs", min=2, help="Simulated runs a policy.")]
WorldsOption = Annotated[int, typer.Option("--runs", min=1, help="Worlds to draw from each domain.")]
CaseRunsOption = Annotated[int, typer.Option("--runs", min=1, help="Worlds a case.")]
RunsOfOption = Annotated[
    list[str] | None, typer.Option("--runs-of", metavar="DOMAIN=N", help="Another number for one; repeatable.")
]
SkipOption = Annotated[list[str] | None, typer.Option("--skip", help="Leave a domain out; repeatable.")]
PolicyOption = Annotated[str, typer.Option("--policy", help=f"How to experiment: {', '.join(services.POLICY_NAMES)}.")]
PoliciesOption = Annotated[
    list[str] | None, typer.Option("--policy", help="A policy; repeat for several. (default: all)")
]
BlindOption = Annotated[
    bool, typer.Option("--blind", help="Keep no belief: sPCE and sNMC of random and sobol only, much sooner.")
]
ContrastsOption = Annotated[
    int | None, typer.Option("--contrasts", min=1, help="L of sPCE and sNMC. (default: as published)")
]
ProposalsOption = Annotated[int, typer.Option("--proposals", min=1, help="L of sACE and sVNMC.")]
BudgetOption = Annotated[float | None, typer.Option("--budget", min=0, help="(default: the domain's)")]
ParticlesOption = Annotated[int, typer.Option("--particles", min=10, help="Particles per mechanism and run.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Fixes every draw: same seed, same result.")]
BlockRunsOption = Annotated[int, typer.Option("--block-runs", min=1, help="Runs worked on as one batch.")]
ProcessesOption = Annotated[int, typer.Option("--processes", min=1, max=256, help="Processes to share the work.")]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="cpu, cuda or cuda:N. (default: ORGANON_DEVICE, else cpu)")
]
ConstructedOption = Annotated[
    bool, typer.Option("--constructed/--no-constructed", help="With three cases that are wrong by construction.")
]
KeepOption = Annotated[
    Path | None,
    typer.Option(
        "--keep",
        metavar="FOLDER",
        file_okay=False,
        help="Keep every block of runs in this folder once it is done, and take from it what is there.",
    ),
]
OnlyKeptOption = Annotated[
    bool, typer.Option("--only-kept", help="Investigate nothing: report on all runs that the folder holds.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Everything measured: FILE.json.")]
PlotOption = Annotated[Path | None, typer.Option("--plot", help="Reliability and rank histograms: FILE.html.")]
RowsOption = Annotated[Path | None, typer.Option("--out", help="Add the rows to this JSON file.", dir_okay=False)]
ReportOption = Annotated[Path | None, typer.Option("--out", help="Write the JSON here, too, after every case.")]
AdaptedDomainsArgument = Annotated[
    list[str], typer.Argument(metavar="DOMAIN …", help="Names of the catalogue, or paths of .yaml files.")
]
AgentsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        help=f"{', '.join(services.POLICY_NAMES)}; or an agent; repeat for several. Without: all classical "
        "ones that serve every domain.",
    ),
]
BaselineOption = Annotated[str, typer.Option("--baseline", help="The policy that the others are compared with.")]
BasicRunsOption = Annotated[int, typer.Option("--runs", min=4, help="Worlds to draw, a domain and level of shift.")]
ScoreContrastsOption = Annotated[
    int, typer.Option("--contrasts", min=1, help="L of sPCE, the score where the goal is to learn.")
]
ShiftOption = Annotated[
    list[str] | None,
    typer.Option(
        "--shift",
        help="in-distribution or shifted-parameters; repeat for both. Without: both, where there are parameters.",
    ),
]
UnseenOption = Annotated[
    list[str] | None,
    typer.Option("--unseen", metavar="DOMAIN", help="One of the domains that no agent was made for; repeatable."),
]
ShiftedByOption = Annotated[
    float,
    typer.Option(
        "--shifted-by", min=0.0, max=5.0, help="How far shifted parameters are, in prior standard deviations."
    ),
]
TrainingOption = Annotated[
    list[str] | None,
    typer.Option("--training", metavar="POLICY=N", help="Experiments that an agent was trained with; repeatable."),
]
FigureOption = Annotated[Path | None, typer.Option("--figure", help="Curves and performance profiles: FILE.html.")]
