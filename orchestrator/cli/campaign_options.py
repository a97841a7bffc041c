"""The options of every command that asks for a campaign, and the request that they make up."""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator import services
from orchestrator.stopping import read_widths
from orchestrator.timetable import read_duration, read_moment

DomainOption = Annotated[str, typer.Option("--domain", help="A name of the catalogue, or the path of a .yaml file.")]
PolicyOption = Annotated[
    str | None,
    typer.Option(
        "--policy",
        help=f"How to experiment: {', '.join(services.POLICY_NAMES)}, or an agent (organon agent list, which shows the "
        "default, too).",
        show_default=False,
    ),
]
RunsOption = Annotated[int, typer.Option("--runs", help="How many worlds to investigate.")]
BudgetOption = Annotated[float | None, typer.Option("--budget", help="What one run may cost. (default: the domain's)")]
LaboratoryOption = Annotated[
    str,
    typer.Option(
        "--laboratory",
        help="simulate, replay:NAME for real measurements, manual for people (organon lab), command:NAME for a program "
        "of ORGANON_COMMANDS, or none to analyse --data alone.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Start from experiments already made: FILE.csv with the export's columns."),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Fixes every draw: same seed, same result.")]
ParticlesOption = Annotated[int, typer.Option("--particles", help="Particles per mechanism and run.")]
MovesOption = Annotated[int, typer.Option("--moves", help="MCMC moves of every particle after each resampling.")]
BatchOption = Annotated[int, typer.Option("--batch", help="How many experiments to choose at a time, to run together.")]
ApprovalOption = Annotated[
    bool, typer.Option("--approval", help="Each experiment is approved by a person before it is run (organon lab).")
]
DueHoursOption = Annotated[
    float | None, typer.Option("--due-hours", help="After so many hours, what a person is to answer is overdue.")
]
StopProbabilityOption = Annotated[
    float | None, typer.Option("--stop-probability", help="End a run once a law is this probable.", show_default=False)
]
StopWidthOption = Annotated[
    list[str] | None,
    typer.Option(
        "--stop-width",
        metavar="NAME=WIDTH",
        help="End a run once a parameter's 90 % interval is this narrow; repeatable.",
    ),
]
StopInformationOption = Annotated[
    float | None,
    typer.Option(
        "--stop-information",
        help="End a run when no experiment is expected to tell this much per cost (nats; predict: of the variance).",
    ),
]
PriorityOption = Annotated[int, typer.Option("--priority", help="Higher goes first; equals share (-100 to 100).")]
StartOption = Annotated[
    str | None, typer.Option("--start", help="Not before this moment: 2027-01-31T08:00.", show_default=False)
]
EveryOption = Annotated[
    str | None,
    typer.Option("--every", help="Repeat it, each time with the next seed: 12h, 1d, 2w.", show_default=False),
]
TimesOption = Annotated[
    int | None, typer.Option("--times", help="Repeat it so often. (default: until stopped)", show_default=False)
]
MaxExperimentsOption = Annotated[
    int | None, typer.Option("--max-experiments", help="Pause before all runs together pass this.", show_default=False)
]
MaxCostOption = Annotated[
    float | None, typer.Option("--max-cost", help="Pause before all runs together cost more.", show_default=False)
]


def _request(
    domain: DomainOption,
    policy: PolicyOption = None,
    runs: RunsOption = 1,
    budget: BudgetOption = None,
    laboratory: LaboratoryOption = "simulate",
    data: DataOption = None,
    seed: SeedOption = 0,
    particles: ParticlesOption = 2000,
    moves: MovesOption = 5,
    batch: BatchOption = 1,
    approval: ApprovalOption = False,
    due_hours: DueHoursOption = None,
    stop_probability: StopProbabilityOption = None,
    stop_width: StopWidthOption = None,
    stop_information: StopInformationOption = None,
    priority: PriorityOption = 0,
    start: StartOption = None,
    every: EveryOption = None,
    times: TimesOption = None,
    max_experiments: MaxExperimentsOption = None,
    max_cost: MaxCostOption = None,
) -> services.CampaignRequest:
    """The request that these options make up; RequestError names the option that is wrong."""
    widths = read_widths(stop_width or [])
    return services.campaign_request(
        domain=domain,
        policy=policy,
        runs=runs,
        budget=budget,
        laboratory=laboratory,
        data=data,
        seed=seed,
        particles=particles,
        moves=moves,
        batch=batch,
        approval=approval,
        due_hours=due_hours,
        stop={"probability": stop_probability, "widths": widths, "information": stop_information},
        timetable={
            "priority": priority,
            "start": None if start is None else read_moment(start),
            "every": None if every is None else read_duration(every),
            "times": times,
            "max_experiments": max_experiments,
            "max_cost": max_cost,
        },
    )


def asks_for_campaign(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a campaign before its own; it is called with the ``request`` that they make up."""
    asked, own = inspect.signature(_request).parameters, dict(inspect.signature(command).parameters)
    del own["request"]

    @wraps(command)
    def with_request(**values: Any) -> None:
        request = _request(**{name: values.pop(name) for name in asked})
        command(request=request, **values)

    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*asked.values(), *own.values())
    ]
    with_request.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_request.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_request
