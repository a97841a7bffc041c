"""The card of an agent: how it was made, on what, how well it does on what it has not seen, and its limits.

Torch-free. A card is JSON; unknown fields are refused, so that a misspelt one is not taken for one left out.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from domains.document import GoalKind
from domains.errors import DomainError

# The names of meta_learner.policies.POLICIES, best first; a test keeps the two alike. No agent may bear one of them.
CLASSICAL = ("expected-information-gain", "expected-improvement", "sobol", "random")
GREEDY = CLASSICAL[0]
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 60

Measure = Literal["sACE", "law", "score"]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1)]


class AgentError(DomainError):
    """An agent that cannot be used as asked; the message says the way out."""


class Value(BaseModel):
    """A frozen part of a card: no unknown fields, no number that is not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Document(Value):
    """A domain by its name and the identity (sha256) of its document."""

    name: Name
    identity: Sha256


class Weights(Value):
    """Of ``agent.safetensors``: the sha256 of the file, and its size."""

    sha256: Sha256
    bytes: Annotated[int, Field(gt=0)]


class Training(Value):
    """What the weights have seen and what it took.

    tasks: kinds of games and domains, in words; domains: the documents among them, on which no result is held out;
    curve: (step, value) pairs, of which curve_of says what the values are.
    """

    tasks: tuple[str, ...]
    domains: tuple[Document, ...] = ()
    steps: Count
    episodes: Count
    experiments: Count
    seconds: Seconds
    hardware: str
    commit: str | None = None
    date: str
    curve_of: str = ""
    curve: tuple[tuple[Count, float], ...] = ()


class HeldOut(Value):
    """The agent beside another policy in the same worlds of one domain. Gains are larger for the better.

    weights: those measured; measure: what a gain is (``meta_learner.agents.comparison``); gain, other_gain: means over
    runs; difference: of the first from the second, with its standard error over runs and 95 % interval; experiments,
    decision_ms and their others: of one run, and of one decision of one run.
    """

    domain: Document
    goal: GoalKind
    measure: Measure
    against: Name
    weights: Sha256
    runs: Annotated[int, Field(ge=2)]
    budget: Annotated[float, Field(gt=0)]
    seed: Count
    particles: Annotated[int, Field(ge=1)]
    gain: float
    other_gain: float
    difference: float
    standard_error: Annotated[float, Field(ge=0)]
    interval: tuple[float, float]
    experiments: Seconds
    other_experiments: Seconds
    decision_ms: Seconds
    other_decision_ms: Seconds
    machine: str = ""
    commit: str | None = None
    date: str = ""

    @model_validator(mode="after")
    def _interval_holds_difference(self) -> "HeldOut":
        low, high = self.interval
        if not low <= self.difference <= high:
            raise ValueError(f"interval {low:g} to {high:g} does not hold the difference {self.difference:g}")
        return self

    @property
    def setting(self) -> tuple[Any, ...]:
        """What was measured; of two results with the same, one is enough."""
        return (self.domain.identity, self.goal, self.against, self.seed, self.budget, self.particles)


class Card(Value):
    """Everything that is known of an agent.

    options: the network's shape and whatever else its family builds it from; goals: of domains, that it serves (none:
    it plays games only); domains: those it is a specialist for (none: it takes any).
    """

    format: Literal[1] = 1
    name: str
    family: Name
    options: dict[str, Any] = Field(default_factory=dict)
    goals: tuple[GoalKind, ...] = ()
    domains: tuple[Document, ...] = ()
    weights: Weights
    recipe: dict[str, Any] = Field(default_factory=dict)
    training: Training
    held_out: tuple[HeldOut, ...] = ()
    limits: str = ""

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        return checked_name(name)

    @model_validator(mode="after")
    def _results_are_its_own(self) -> "Card":
        for result in self.held_out:
            if result.weights != self.weights.sha256:
                raise ValueError(
                    f"the held-out result on {result.domain.name} is of other weights ({result.weights[:12]}) than "
                    f"these ({self.weights.sha256[:12]}); leave it out and measure anew"
                )
        return self

    @property
    def as_good_as_greedy(self) -> bool:
        """Whether the results show it, by the rule of ``meta_learner.agents.standing``; without results they do not."""
        from meta_learner.agents.standing import shortfalls

        return not shortfalls(self)

    @property
    def acts(self) -> dict[str, Any]:
        """What decides its choices besides the weights; kept in their file, so that its sha256 covers it."""
        return self.model_dump(mode="json", include={"family", "options", "goals", "domains"})

    def with_result(self, result: HeldOut) -> "Card":
        """The card with a result more; of the same setting, the newer stays unless the older has more runs."""
        same = next((kept for kept in self.held_out if kept.setting == result.setting), None)
        if same is not None and same.runs > result.runs:
            raise AgentError(
                f"the card of {self.name} has {same.runs} runs on {result.domain.name} of this seed, budget and "
                f"belief, more than these {result.runs}; ask for as many (--runs), or take another seed (--seed)"
            )
        kept = (each for each in self.held_out if each is not same)
        return Card.model_validate({**dict(self), "held_out": (*kept, result)})

    def refusal(self, domain: str, identity: str, goal: GoalKind) -> str | None:
        """Why it cannot be sent into a domain; None where it can."""
        if not self.goals:
            return "plays games on tables only, and serves no domain yet"
        if goal not in self.goals:
            return f"serves the goals {', '.join(self.goals)}, and {domain} asks to {goal}"
        if self.domains and identity not in {document.identity for document in self.domains}:
            names = ", ".join(document.name for document in self.domains)
            return f"is a specialist for {names}, as that document was when it was trained, and {domain} is another"
        return None


def checked_name(name: str) -> str:
    """A name that an agent may bear; ValueError else."""
    if not NAME.fullmatch(name) or len(name) > _LONGEST:
        raise ValueError(f"{name!r}: an agent's name is at most {_LONGEST} of a-z, 0-9 and single hyphens, first a-z")
    if name in CLASSICAL:
        raise ValueError(f"{name!r} is a classical policy's name; choose another")
    return name


def read_card(text: str, place: str) -> Card:
    """A card from its JSON; AgentError names the place, the field and what is wrong."""
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the card"
        raise AgentError(
            f"{place}: {field}: {first['msg']}; mend the card, or take it from where the agent came from"
        ) from None
