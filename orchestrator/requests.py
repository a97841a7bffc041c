"""What may be asked of a campaign, checked value by value. Torch-free."""

import difflib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domains.document import Domain
from domains.errors import DomainError
from domains.loading import load_text
from domains.readings import objective_reading
from meta_learner.agents.card import CLASSICAL
from orchestrator.errors import RequestError
from orchestrator.given_data import Table
from orchestrator.stopping import Stop
from orchestrator.timetable import Timetable

POLICY_NAMES = CLASSICAL  # agents are policies, too: orchestrator.agents
BEST_POLICY = POLICY_NAMES[0]
LAWLESS = "expected-improvement"  # the policy that needs an objective which outcomes show


class Document(BaseModel):
    """A domain handed over as its text; attachments: file name → text of its tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    attachments: dict[str, str] = Field(default_factory=dict)

    def load(self) -> Domain:
        """The domain; DocumentError with every problem."""
        return load_text(self.text, attachments=self.attachments)


class CampaignRequest(BaseModel):
    """A campaign to create. ``domain`` is a catalogue name, a path or a document; ``budget`` None takes the document's,
    ``policy`` None the default.

    data: a CSV table of experiments already made, which every run starts from. stop: what ends a run before its budget
    does. batch: how many experiments are chosen at a time, or, where they are answered later, how many are outstanding.
    approval: whether a person approves each experiment before it is run. due_hours: after which an answer is overdue.
    timetable: when and how far it runs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str | Document
    policy: str | None = None
    laboratory: str = "simulate"
    runs: int = Field(default=1, ge=1, le=1_000_000)
    budget: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0, lt=2**63)
    particles: int = Field(default=2000, ge=50, le=1_000_000)
    moves: int = Field(default=5, ge=1, le=1000)
    data: Path | Table | None = None
    stop: Stop = Stop()
    batch: int = Field(default=1, ge=1, le=64)
    approval: bool = False
    due_hours: float | None = Field(default=None, gt=0, le=100_000)
    timetable: Timetable = Timetable()


def campaign_request(**values: Any) -> CampaignRequest:
    """A checked request; RequestError names what is wrong and what is allowed."""
    try:
        return CampaignRequest(**values)
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestError(f"{_option(first['loc'])}{first.get('input')}: {first['msg'].lower()}") from None


def _option(place: tuple[int | str, ...]) -> str:
    """The option that a value came from: ``--seed ``, ``--stop-width km=``."""
    if place[:2] == ("stop", "widths"):
        return "--stop-width " + "".join(f"{name}=" for name in place[2:3])
    if place[:1] == ("timetable",):
        return f"--{str(place[-1] if len(place) > 1 else 'times').replace('_', '-')} "
    parts = place[:2] if place[0] == "stop" else place[:1]
    return "--" + "-".join(str(part).replace("_", "-") for part in parts) + " "


def check_policy(policy: str, domain: Domain) -> None:
    """RequestError, with the nearest name or the way out, unless it is a classical policy and serves the goal."""
    if policy not in POLICY_NAMES:
        near = difflib.get_close_matches(policy, POLICY_NAMES, 1, 0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise RequestError(f"--policy: there is no policy {policy!r}; {hint}Policies are {', '.join(POLICY_NAMES)}")
    if policy == LAWLESS:
        try:
            objective_reading(domain)
        except DomainError as error:
            raise RequestError(
                f"--policy {LAWLESS} knows no laws and optimises what comes back, which {domain.name} does not allow "
                f"({error}); choose another policy, such as {BEST_POLICY}"
            ) from None
