"""The tables: domain ← campaign ← block ← run ← experiment, the measurements given beforehand, and the findings.

A campaign investigates one domain in many runs. Its runs are grouped into blocks, fixed at creation; a block advances
as one batch, moved by whoever holds its lease. Experiments and findings are only ever added, each with
its event.
"""

# No `from __future__ import annotations` here: SQLModel reads the annotations as objects.
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, false, text
from sqlmodel import Field

from experiments_db.base import Table as Table
from experiments_db.base import UtcDateTime as UtcDateTime
from experiments_db.base import as_json, new_id, one_of
from experiments_db.base import now_utc as now_utc
from experiments_db.desk_models import Job as Job
from experiments_db.desk_models import Judgement as Judgement
from experiments_db.desk_models import SavedQuery as SavedQuery
from experiments_db.desk_models import TaskDistribution as TaskDistribution
from experiments_db.desk_models import WorkerEvent as WorkerEvent

CAMPAIGN_STATUSES = ("scheduled", "running", "paused", "finished", "failed", "cancelled")
WORK_STATUSES = ("scheduled", "running", "finished", "failed", "cancelled")  # of a block and of a run
UNFINISHED = ("scheduled", "running")
GOES_ON = (*UNFINISHED, "paused")  # of a campaign that may still go on
CAP_PERIODS = ("day", "total")
TRAINING_STATUSES = ("running", "stopped", "finished")
SUGGESTION_STATUSES = ("proposed", "open", "answered", "recorded", "rejected")
OUTSTANDING = ("proposed", "open", "answered")  # suggestions that are to become experiments
REVISION_KINDS = ("corrected", "withdrawn")
ROLES = ("viewer", "operator")


class Domain(Table, table=True):
    """A domain document as it was when a campaign began; never changed. `identity` is the sha256 of its content."""

    identity: str = Field(primary_key=True)
    name: str = Field(index=True)
    title: str = ""
    field: str = ""
    text: str = Field(default="", sa_type=Text)
    document: dict[str, Any] = Field(default_factory=dict, sa_type=as_json)
    source: str = ""
    attachments: dict[str, str] = Field(default_factory=dict, sa_type=as_json)
    created_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime)


class Campaign(Table, table=True):
    """Many runs of one domain, policy, laboratory and seed. `budget` is the cost one run may spend.

    imported: the digest that it came with, where it was made in another installation; it never runs here.
    Of higher `priority` first; `served`: seconds of workers' time, by which equals share; none before `start_at`.
    `max_experiments` and `max_cost` are caps on all its runs together; no cap where they are null.
    """

    __table_args__ = (
        one_of("status", CAMPAIGN_STATUSES),
        Index(None, "status", "created_at"),
        Index(None, "policy", "created_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    domain_identity: str = Field(foreign_key="domain.identity", index=True)
    policy: str
    laboratory: str = "simulate"
    runs: int
    budget: float
    seed: int = Field(default=0, sa_type=BigInteger)
    status: str = "scheduled"
    message: str = Field(default="", sa_type=Text)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=as_json)
    versions: dict[str, Any] = Field(default_factory=dict, sa_type=as_json)
    created_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime, index=True)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    imported: dict[str, Any] | None = Field(default=None, sa_type=as_json)
    priority: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    served: float = Field(default=0.0, sa_column_kwargs={"server_default": text("0")})
    start_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    max_experiments: int | None = None
    max_cost: float | None = None


class Block(Table, table=True):
    """Consecutive runs of a campaign that advance together; `step` counts the steps recorded so far.

    waiting: for somebody's answer, so that no worker need look; `wakes` counts what has come in for it since.
    `attempts` counts how often it was claimed since its last progress, none before `retry_at`; `fault` says what its
    last worker died of.
    """

    __table_args__ = (UniqueConstraint("campaign_id", "index"), one_of("status", WORK_STATUSES))

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str = Field(foreign_key="campaign.id")
    index: int
    first_run: int
    runs: int
    step: int = 0
    status: str = Field(default="scheduled", index=True)
    lease_owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    waiting: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    wakes: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fault: str = Field(default="", sa_column_kwargs={"server_default": ""})


class Run(Table, table=True):
    """One world under investigation; `truth` is that world where it is known, hidden from the agent."""

    __table_args__ = (UniqueConstraint("campaign_id", "index"), one_of("status", WORK_STATUSES))

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str = Field(foreign_key="campaign.id")
    block_id: int = Field(foreign_key="block.id", index=True)
    index: int
    status: str = "scheduled"
    steps: int = 0
    cost: float = 0.0
    truth: dict[str, Any] | None = Field(default=None, sa_type=as_json)


class Experiment(Table, table=True):
    """A design with its outcome, the belief after it, and the candidates it was chosen from.

    given: made before the campaign, so that nothing was chosen and nothing paid.
    """

    __table_args__ = (UniqueConstraint("run_id", "step"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    step: int
    design: dict[str, Any] = Field(sa_type=as_json)
    outcome: dict[str, Any] = Field(sa_type=as_json)
    cost: float
    information: float | None = None
    decision_ms: float
    belief: dict[str, Any] = Field(sa_type=as_json)
    candidates: list[Any] = Field(sa_type=as_json)
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)
    given: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Measurements(Table, table=True):
    """Experiments made before a campaign: every run of it starts from them. Each row has a `design` and an `outcome`.

    `file` and `sha256` say which table they were read from.
    """

    campaign_id: str = Field(primary_key=True, foreign_key="campaign.id")
    file: str
    sha256: str
    rows: list[Any] = Field(sa_type=as_json)


class Finding(Table, table=True):
    """What a run concludes, or the whole campaign where `run_id` is null."""

    __table_args__ = (
        UniqueConstraint("campaign_id", "run_id"),
        # A unique constraint takes nulls for different: the one finding of a campaign needs an index of its own.
        Index(
            "uq_finding_of_campaign",
            "campaign_id",
            unique=True,
            sqlite_where=text("run_id IS NULL"),
            postgresql_where=text("run_id IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str = Field(foreign_key="campaign.id")
    run_id: int | None = Field(default=None, foreign_key="run.id", index=True)
    content: dict[str, Any] = Field(sa_type=as_json)
    text: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Event(Table, table=True):
    """One event of a chain of the log (`experiments_db.events`). The database refuses to change or delete any.

    content: canonical JSON, the text that `hash` covers; created_at is not covered.
    """

    __table_args__ = (UniqueConstraint("chain", "index"),)

    id: int | None = Field(default=None, primary_key=True)
    chain: str
    index: int
    campaign_id: str = Field(index=True)
    kind: str
    content: str = Field(sa_type=Text)
    hash: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class Training(Table, table=True):
    """A meta-training, or a specialist's: its recipe, how far it came, and the agent that it gave.

    `step` of `steps` are updates, a specialist's are simulated experiments, the last update of which may exceed them;
    `curve` holds [step, value] pairs; `hardware` and `commit` say where it ran and from which source; `weights` is the
    SHA-256 of the agent's, once there is one.
    """

    __table_args__ = (one_of("status", TRAINING_STATUSES),)

    id: str = Field(default_factory=new_id, primary_key=True)
    agent: str = Field(index=True)
    recipe: dict[str, Any] = Field(sa_type=as_json)
    status: str = "running"
    step: int = 0
    steps: int
    seconds: float = 0.0
    curve: list[Any] = Field(default_factory=list, sa_type=as_json)
    hardware: dict[str, Any] = Field(sa_type=as_json)
    commit: str | None = None
    weights: str | None = None
    created_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime)


class Suggestion(Table, table=True):
    """An experiment that was chosen and that somebody answers later: a person, or a program once it may run.

    `number` counts the suggestions of a run; `known` and `revised`: how many experiments and revisions the choice rests
    on. `used`: the design really set, where it is another; `failure`: why no outcome came back. `step`: the experiment
    that it became; of a rejected one, how many experiments there were then. `attempts`: how often a program was started
    for it.
    """

    __table_args__ = (UniqueConstraint("run_id", "number"), one_of("status", SUGGESTION_STATUSES))

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    number: int
    known: int
    revised: int
    design: dict[str, Any] = Field(sa_type=as_json)
    candidates: list[Any] = Field(sa_type=as_json)
    decision_ms: float
    status: str = Field(index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = Field(default="", sa_type=Text)
    taken_by: str | None = None
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    used: dict[str, Any] | None = Field(default=None, sa_type=as_json)
    outcome: dict[str, Any] | None = Field(default=None, sa_type=as_json)
    failure: str | None = Field(default=None, sa_type=Text)
    answered_by: str | None = None
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    step: int | None = None


class Revision(Table, table=True):
    """What somebody said later about a recorded result: another outcome, another design, or that it counts for nothing.

    The experiment stays as it was recorded; `before` and `design`, `outcome` are what held until then and what holds
    since. `belief`: after the experiments so far, `known` of them, were folded anew; `superseded`: findings that were
    drawn before.
    """

    __table_args__ = (one_of("kind", REVISION_KINDS),)

    id: int | None = Field(default=None, primary_key=True)
    suggestion_id: int = Field(foreign_key="suggestion.id", index=True)
    kind: str
    before: dict[str, Any] = Field(sa_type=as_json)
    design: dict[str, Any] = Field(sa_type=as_json)
    outcome: dict[str, Any] = Field(sa_type=as_json)
    by: str
    reason: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    superseded: list[Any] = Field(default_factory=list, sa_type=as_json)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    known: int | None = None
    belief: dict[str, Any] | None = Field(default=None, sa_type=as_json)


class Token(Table, table=True):
    """Who may speak to the HTTP interface. Of the secret only its SHA-256 is kept."""

    __table_args__ = (one_of("role", ROLES),)

    id: str = Field(primary_key=True)
    name: str
    role: str
    sha256: str
    created_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Usage(Table, table=True):
    """What one block ran on one day (UTC, `2026-11-29`): experiments, and what they cost."""

    block_id: int = Field(primary_key=True, foreign_key="block.id")
    day: str = Field(primary_key=True, index=True)
    experiments: int
    cost: float


class Cap(Table, table=True):
    """The most that one agent (a policy by its name), or all together where `agent` is empty, may run.

    period: `day` (UTC) or `total`. A null is no cap.
    """

    __table_args__ = (one_of("period", CAP_PERIODS),)

    agent: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    max_experiments: int | None = None
    max_cost: float | None = None


class Recurrence(Table, table=True):
    """A campaign that is repeated, each time with the next seed: what to repeat, how often, and when next.

    `made` counts the repetitions so far, `times` how many there will be (null: until it is stopped).
    """

    campaign_id: str = Field(primary_key=True, foreign_key="campaign.id")
    every_seconds: float
    next_at: datetime = Field(sa_type=UtcDateTime, index=True)
    made: int = 0
    times: int | None = None
    active: bool = True
