"""What an archive holds, member by member, as pydantic models: a stranger's is held to them before it is used.

They check and do not convert: what goes to the record are the values as they were written, which the log's digests
are of. Torch-free.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from experiments_db.desk_models import VERDICTS
from experiments_db.models import CAMPAIGN_STATUSES, REVISION_KINDS, SUGGESTION_STATUSES, WORK_STATUSES
from experiments_db.package import Limits
from orchestrator.stopping import Stop

KIND = "organon-campaign"
DOMAIN, CAMPAIGN, BLOCKS, RUNS = "domain.json", "campaign.json", "blocks.jsonl", "runs.jsonl"
EXPERIMENTS, FINDINGS, EVENTS = "experiments.jsonl", "findings.jsonl", "events.jsonl"
SUGGESTIONS, REVISIONS = "suggestions.jsonl", "revisions.jsonl"
JUDGEMENTS = "judgements.jsonl"  # where there are any: archives of earlier versions have none
MEASUREMENTS, CARD, WEIGHTS = "measurements.json", "agent/card.json", "agent/agent.safetensors"
REQUIRED = {DOMAIN, CAMPAIGN, BLOCKS, RUNS, EXPERIMENTS, SUGGESTIONS, REVISIONS, FINDINGS, EVENTS}

_MB = 1 << 20
LIMITS = Limits(
    {
        DOMAIN: 16 * _MB,
        CAMPAIGN: _MB,
        BLOCKS: 256 * _MB,
        RUNS: 1024 * _MB,
        EXPERIMENTS: 16_384 * _MB,
        SUGGESTIONS: 4096 * _MB,
        REVISIONS: 4096 * _MB,
        FINDINGS: 4096 * _MB,
        JUDGEMENTS: 1024 * _MB,
        EVENTS: 8192 * _MB,
        MEASUREMENTS: 64 * _MB,
        CARD: 4 * _MB,
        WEIGHTS: 256 * _MB,
    },
    file=16_384 * _MB,
)
MOST_PARTICLES = 20_000_000  # of one law in one block: what a replay must hold at a time

Name = Annotated[str, Field(min_length=1, max_length=200)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Place = Annotated[int, Field(ge=0, le=10_000_000)]
Said = Annotated[str, Field(max_length=10_000)]
Long = Annotated[str, Field(max_length=10_000_000)]
Numbers = dict[Name, float | None]
Settings = dict[Name, float | str]


class _Member(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ArchivedDomain(_Member):
    """The document and the tables beside it; all else about a domain follows from them."""

    identity: Sha256
    name: Name
    text: Long
    attachments: dict[Name, Long] = Field(max_length=100)


class _Belief(_Member):
    particles: int = Field(ge=2, le=1_000_000)
    moves: int = Field(ge=0, le=1000)
    threshold: float = Field(default=0.5, ge=0, le=1)


class _Agent(_Member):
    weights: Sha256


class CampaignSettings(BaseModel):
    """Those that a replay reads; others are kept and not looked at."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    belief: _Belief
    stop: Stop | None = None
    batch: int = Field(default=1, ge=1, le=64)
    agent: _Agent | None = None
    expected_cost: float | None = Field(default=None, ge=0)
    expected_experiments: int | None = Field(default=None, ge=0)


class ArchivedCampaign(_Member):
    """A campaign's row."""

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    domain_identity: Sha256
    policy: Name
    laboratory: Name
    runs: int = Field(ge=1, le=1_000_000)
    budget: float = Field(gt=0)
    seed: int = Field(ge=0, lt=2**63)
    status: Literal[CAMPAIGN_STATUSES]  # type: ignore[valid-type]
    message: Long
    settings: CampaignSettings
    versions: dict[Name, str | int | float | bool | None] = Field(max_length=100)
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    imported: dict[Name, str] | None
    priority: int = Field(ge=-(2**31), lt=2**31)
    start_at: AwareDatetime | None
    max_experiments: int | None = Field(ge=0, lt=2**31)
    max_cost: float | None = Field(ge=0)


class ArchivedBlock(_Member):
    """A block's row, without leases."""

    index: Count
    first_run: Count
    runs: int = Field(ge=1, le=10_000)
    step: Count
    status: Literal[WORK_STATUSES]  # type: ignore[valid-type]
    finished_at: AwareDatetime | None


class _Truth(_Member):
    mechanism: Name
    parameters: Numbers


class ArchivedRun(_Member):
    """A run's row; block: the index of its block."""

    index: Count
    block: Count
    status: Literal[WORK_STATUSES]  # type: ignore[valid-type]
    steps: Count
    cost: float = Field(ge=0)
    truth: _Truth | None


class _RecordedBelief(BaseModel):
    """What pages and findings read of a belief; more may be there."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    mechanism_probability: dict[Name, Annotated[float, Field(ge=0, le=1.000001)]]
    most_probable: Name
    parameters: dict[Name, Numbers]
    mechanisms: dict[Name, dict[Name, Numbers]]
    diagnostics: dict[Name, Any]


class _Candidate(_Member):
    design: Settings
    score: float


class ArchivedExperiment(_Member):
    """An experiment's row; run: the index of its run."""

    run: Count
    step: Count
    design: Settings
    outcome: Numbers
    cost: float = Field(ge=0)
    information: float | None
    decision_ms: float = Field(ge=0)
    belief: _RecordedBelief
    candidates: list[_Candidate] = Field(max_length=10_000)
    created_at: AwareDatetime
    given: bool


class ArchivedSuggestion(_Member):
    """A suggestion's row; run: the index of its run."""

    run: Count
    number: Count
    known: Count
    revised: Count
    design: Settings
    candidates: list[_Candidate] = Field(max_length=10_000)
    decision_ms: float = Field(ge=0)
    status: Literal[SUGGESTION_STATUSES]  # type: ignore[valid-type]
    created_at: AwareDatetime
    due_at: AwareDatetime | None
    decided_by: Name | None
    decided_at: AwareDatetime | None
    reason: Said
    taken_by: Name | None
    taken_at: AwareDatetime | None
    attempts: Count
    used: Settings | None
    outcome: Numbers | None
    failure: Long | None
    answered_by: Name | None
    answered_at: AwareDatetime | None
    step: Count | None


class _Held(_Member):
    design: Settings
    outcome: Numbers


class _Superseded(_Member):
    run: Count | None
    content: dict[Name, Any]
    text: Long
    at: AwareDatetime


class ArchivedRevision(_Member):
    """A revision's row; run and number: of its suggestion."""

    run: Count
    number: Count
    kind: Literal[REVISION_KINDS]  # type: ignore[valid-type]
    before: _Held
    design: Settings
    outcome: Numbers
    by: Name
    reason: Said
    created_at: AwareDatetime
    superseded: list[_Superseded] = Field(max_length=10)
    applied_at: AwareDatetime | None
    known: Count | None
    belief: _RecordedBelief | None


class ArchivedFinding(_Member):
    """A finding's row; run: the index of its run, None for the campaign's."""

    run: Count | None
    content: dict[Name, Any]
    text: Long
    created_at: AwareDatetime


class ArchivedJudgement(_Member):
    """A judgement's row; run: the index of the run whose finding it is about, None for the campaign's."""

    run: Count | None
    verdict: Literal[VERDICTS]  # type: ignore[valid-type]
    by: Name
    reason: Said
    created_at: AwareDatetime


class _Row(_Member):
    design: Settings
    outcome: Numbers


class ArchivedMeasurements(_Member):
    """The experiments that the campaign started from."""

    file: Name
    sha256: Sha256
    rows: list[_Row] = Field(min_length=1, max_length=1_000_000)


class ArchivedEvent(_Member):
    """An event's row."""

    chain: Name
    index: Place
    kind: Name
    content: Long
    hash: Sha256
    created_at: AwareDatetime


class Manifest(BaseModel):
    """What the manifest says besides its members."""

    model_config = ConfigDict(extra="allow", frozen=True)

    campaign: str = Field(pattern=r"^[0-9a-f]{12}$")
    digest: Sha256


MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)
