"""Which campaigns run by suggestions that are answered later, and what such a campaign may ask. Torch-free."""

from typing import Any

from domains.document import Domain
from orchestrator.commands import KIND as COMMAND
from orchestrator.commands import commands, find_command
from orchestrator.errors import RequestError
from orchestrator.settings import Settings

MANUAL = "manual"
ANALYSIS = "none"  # the laboratory in which nobody runs experiments: what was given is analysed
MOST_RUNS = 1000  # of a campaign by suggestions: each run is a block of its own


def answers_elsewhere(laboratory: str) -> bool:
    """Whether results are told from outside, rather than performed by a worker."""
    return laboratory == MANUAL


def is_measured(laboratory: str) -> bool:
    """Whether results are measured, so that one may turn out wrong, rather than computed or looked up."""
    return laboratory == MANUAL or laboratory.partition(":")[0] == COMMAND


def is_suggested(laboratory: str, settings: dict[str, Any]) -> bool:
    """Whether experiments of a campaign are recorded as suggestions before they are run. settings: the campaign's."""
    return is_measured(laboratory) or bool(settings.get("approval"))


def laboratories(settings: Settings, domain: Domain) -> list[str]:
    """The laboratories that a campaign of a domain may name."""
    replays = [f"replay:{replay}" for replay in domain.replays]
    return ["simulate", *replays, ANALYSIS, MANUAL, *(f"{COMMAND}:{name}" for name in commands(settings))]


def check_laboratory(settings: Settings, domain: Domain, laboratory: str) -> None:
    """RequestError where the domain has no such laboratory, or its program is not allowed."""
    kind, _, name = laboratory.partition(":")
    if kind == COMMAND and name:
        find_command(settings, name)
    names = laboratories(settings, domain)
    if laboratory not in names:
        raise RequestError(f"--laboratory {laboratory!r} is not one that {domain.name} has; it has {', '.join(names)}")


def check_suggested(laboratory: str, *, runs: int, approval: bool, due_hours: float | None) -> None:
    """RequestError where what is asked about suggestions does not fit the laboratory."""
    if approval and laboratory == ANALYSIS:
        raise RequestError("--approval: the laboratory none runs no experiments, so that none can be approved")
    suggested = is_suggested(laboratory, {"approval": approval})
    if due_hours is not None and not (approval or answers_elsewhere(laboratory)):
        raise RequestError(f"--due-hours: nobody is waited for by --laboratory {laboratory} without --approval")
    if suggested and runs > MOST_RUNS:
        raise RequestError(f"--runs {runs}: where experiments are answered one by one, at most {MOST_RUNS} runs can be")
