"""The tables of the desk: judgements of findings, jobs beside campaigns, task distributions, saved queries, workers.

`experiments_db.models` shows them beside the tables of campaigns.
"""

# No `from __future__ import annotations` here: SQLModel reads the annotations as objects.
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from experiments_db.base import Table, UtcDateTime, as_json, new_id, now_utc, one_of

VERDICTS = ("accepted", "rejected", "noted")
JOB_STATUSES = ("waiting", "running", "finished", "failed", "cancelled")
WORKER_EVENTS = ("started", "stopped", "died")


class Judgement(Table, table=True):
    """What a person says of a finding: of a run (its index), or of the campaign where `run_index` is null.

    Only ever added. Of those made since the finding was drawn the newest that accepts or rejects holds.
    """

    __table_args__ = (one_of("verdict", VERDICTS),)

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: str = Field(foreign_key="campaign.id", index=True)
    run_index: int | None = None
    verdict: str
    by: str
    reason: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime)


class Job(Table, table=True):
    """Work that somebody asked for beside campaigns: a preview, a check, a training.

    `key`: the SHA-256 of kind, arguments and Organon's version, by which the same is done once; `share` is done of it,
    0 to 1, and `saying` what is being done; `result`: plain data; `message`: why it failed. `attempts`: claims since it
    was last given back with something done. A worker holds its lease as it does a block's.
    """

    __table_args__ = (one_of("status", JOB_STATUSES), Index(None, "status", "created_at"))

    id: str = Field(default_factory=new_id, primary_key=True)
    kind: str
    key: str = Field(index=True)
    arguments: dict[str, Any] = Field(sa_type=as_json)
    by: str
    status: str = "waiting"
    share: float = 0.0
    saying: str = ""
    result: dict[str, Any] | None = Field(default=None, sa_type=as_json)
    message: str = Field(default="", sa_type=Text)
    attempts: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TaskDistribution(Table, table=True):
    """A version of a task distribution: domains with weights, shifts, and what is held out, as a training recipe.

    Never changed; the newest version of a name is the one that is offered.
    """

    __table_args__ = (UniqueConstraint("name", "version"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    name: str
    version: int
    text: str = Field(sa_type=Text)
    recipe: dict[str, Any] = Field(sa_type=as_json)
    by: str
    created_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime)


class SavedQuery(Table, table=True):
    """A query of the console that somebody kept under a name."""

    name: str = Field(primary_key=True)
    text: str = Field(sa_type=Text)
    by: str
    created_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime)


class WorkerEvent(Table, table=True):
    """That a pool of workers started or stopped, or that one of its processes died, and of what.

    `pid`: of the pool, of a death that of the process; `processes`: how many the pool has.
    """

    __table_args__ = (one_of("kind", WORKER_EVENTS),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    host: str
    pid: int
    processes: int | None = None
    message: str = Field(default="", sa_type=Text)
    created_at: datetime = Field(default_factory=now_utc, sa_type=UtcDateTime, index=True)
