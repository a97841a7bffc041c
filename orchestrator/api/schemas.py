"""What goes in and out of the HTTP interface. These models are its OpenAPI description."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, model_validator

from orchestrator.bench import LONGEST_NAME, LONGEST_REASON
from orchestrator.given_data import Table
from orchestrator.requests import Document
from orchestrator.stopping import Stop

_MOST_RUNS = 10_000  # of one request: creating more takes longer than anybody waits for an answer


def _storable(text: str) -> str:
    """A text that every database keeps: no zero character, no half of a surrogate pair."""
    if "\0" in text or (not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text)):
        raise ValueError("a zero character or half a surrogate pair cannot be kept")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME // 2, pattern=r"\S")]
Reason = Annotated[Text, Field(min_length=1, max_length=LONGEST_REASON, pattern=r"\S")]
Number = StrictFloat | StrictInt
Setting = Number | StrictStr
Outcome = Annotated[dict[str, Number | None], Field(max_length=1000, description="What came back; null: nothing did.")]
Design = Annotated[dict[str, Setting], Field(max_length=1000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Asked(_Body):
    """by: who asks, beside the name of the token."""

    by: Name | None = None


class Told(Asked):
    """What came back; design: what was set, where that is not what was suggested."""

    outcome: Outcome
    design: Design | None = None


class Approved(Asked):
    """design: what to set instead of what was suggested."""

    design: Design | None = None


class Reasoned(Asked):
    """Why; it stays on record."""

    reason: Reason


class Corrected(Reasoned):
    """What came back in truth, and at which design, where that was recorded wrongly, too."""

    outcome: Outcome
    design: Design | None = None


class NewCampaign(_Body):
    """A campaign to create. domain: a name of the catalogue; or document: a domain as text, with its tables."""

    domain: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,100}$")] | None = None
    document: Document | None = None
    policy: Annotated[Text, Field(max_length=100)] | None = None
    laboratory: Annotated[Text, Field(max_length=200)] = "manual"
    runs: Annotated[int, Field(ge=1, le=_MOST_RUNS)] = 1
    budget: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    particles: Annotated[int, Field(ge=50, le=100_000)] = 2000
    moves: Annotated[int, Field(ge=1, le=1000)] = 5
    data: Table | None = None
    stop: Stop = Stop()
    batch: Annotated[int, Field(ge=1, le=64)] = 1
    approval: bool = False
    due_hours: Annotated[float, Field(gt=0, le=100_000)] | None = None

    @model_validator(mode="after")
    def _one_question(self) -> "NewCampaign":
        if (self.domain is None) == (self.document is None):
            raise ValueError("name a domain of the catalogue (domain), or hand one over (document): one of the two")
        return self


class Created(BaseModel):
    """A campaign that is on record."""

    id: str


class Suggestion(BaseModel):
    """An experiment to run. design: what to set, or what was set; suggested: what was planned."""

    id: int
    campaign: str
    run: int
    number: int
    status: Literal["proposed", "open", "answered", "recorded", "rejected"]
    design: dict[str, float | str]
    suggested: dict[str, float | str]
    asked_at: str
    due_at: str | None
    overdue: bool
    taken_by: str | None
    taken_at: str | None
    decided_by: str | None
    decided_at: str | None
    reason: str
    outcome: dict[str, float | None] | None
    failure: str | None
    answered_by: str | None
    answered_at: str | None
    step: int | None


class Revision(BaseModel):
    """What was said of a result later; before and after: design and outcome."""

    id: int
    kind: Literal["corrected", "withdrawn"]
    before: dict[str, Any]
    after: dict[str, Any]
    by: str
    reason: str
    at: str
    applied_at: str | None


class SuggestionInFull(Suggestion):
    """With what it was chosen from, and what was said of its result later."""

    candidates: list[Any]
    revisions: list[Revision]


class CampaignLine(BaseModel):
    """A campaign with its progress."""

    model_config = ConfigDict(extra="allow")

    id: str
    status: str
    domain: str
    policy: str
    laboratory: str
    runs: int
    budget: float
    seed: int
    progress: dict[str, float]


class Campaign(CampaignLine):
    """With what waits, and what it found."""

    message: str
    finding: dict[str, Any] | None
    waiting: dict[str, int]


class Steered(BaseModel):
    """A campaign that was paused, resumed or cancelled."""

    id: str


class Health(BaseModel):
    """That the interface and its record answer."""

    status: Literal["ok"]


class Problem(BaseModel):
    """What is wrong, what the rule is, and the way out."""

    error: str
