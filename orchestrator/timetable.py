"""When and how far a campaign runs: priority, start, repetition, caps. Torch-free."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from experiments_db import accounts, scheduling
from experiments_db.models import UNFINISHED, Recurrence
from experiments_db.queries import CampaignRecord
from orchestrator.errors import RequestError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_LONGEST_SECONDS = 3660 * 86400.0


class Timetable(BaseModel):
    """priority: higher goes first; start: not before; every: repeat after so many seconds, `times` times or until
    stopped; caps on all runs of the campaign together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    priority: int = Field(default=0, ge=-100, le=100)
    start: AwareDatetime | None = None
    every: float | None = Field(default=None, ge=1, le=_LONGEST_SECONDS)
    times: int | None = Field(default=None, ge=1, le=1_000_000)
    max_experiments: int | None = Field(default=None, ge=1, lt=2**31)
    max_cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _times_of_something(self) -> "Timetable":
        if self.times is not None and self.every is None:
            raise ValueError("it says how often to repeat the campaign, which needs --every as well")
        return self

    def columns(self) -> dict[str, Any]:
        """The campaign's columns that it fills."""
        return {
            "priority": self.priority,
            "start_at": self.start,
            "max_experiments": self.max_experiments,
            "max_cost": self.max_cost,
        }

    def recurrence(self, campaign_id: str, now: datetime) -> Recurrence | None:
        """What repeats the campaign, if anything is to: the first repetition comes one period after the start."""
        if self.every is None:
            return None
        first = (self.start or now) + timedelta(seconds=self.every)
        return Recurrence(campaign_id=campaign_id, every_seconds=self.every, next_at=first, times=self.times)


def schedule(session: Session, campaign: CampaignRecord) -> dict[str, Any]:
    """A campaign's priority, start and caps as plain data, and in words what it waits for (None: workers alone)."""
    return {
        "priority": campaign.priority,
        "start_at": None if campaign.start_at is None else campaign.start_at.isoformat(),
        "max_experiments": campaign.max_experiments,
        "max_cost": campaign.max_cost,
        "waits_for": _waits_for(session, campaign, datetime.now(UTC)),
    }


def _waits_for(session: Session, campaign: CampaignRecord, now: datetime) -> str | None:
    if campaign.status not in UNFINISHED:
        return None
    if campaign.start_at is not None and campaign.start_at > now:
        return f"it begins at {campaign.start_at.isoformat(timespec='seconds')}"
    held_back = accounts.exhausted(session, now)
    cap = held_back.get("") or held_back.get(campaign.policy)
    if cap is not None:
        return f"it waits: {cap} (organon cap list)"
    faults = scheduling.faults(session, campaign.id)
    if faults:
        return f"workers died over it and it is tried again: {faults[0].fault or 'of a cause that is not known'}"
    return None


def read_duration(written: str) -> float:
    """Seconds of ``90s``, ``15m``, ``12h``, ``1d`` or ``2w``; RequestError says what is allowed."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", written)
    if found is None:
        raise RequestError(f"--every {written!r} is not a duration; write a number and s, m, h, d or w, as in 12h")
    seconds = float(found[1]) * _UNITS[found[2]]
    if not 1 <= seconds <= _LONGEST_SECONDS or not math.isfinite(seconds):
        raise RequestError(f"--every {written!r} is not between one second and ten years")
    return seconds


def read_moment(written: str) -> datetime:
    """A moment of ISO 8601; without a zone it is this machine's local time. RequestError says how to write one."""
    try:
        moment = datetime.fromisoformat(written.strip())
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RequestError(
            f"--start {written!r} is not a moment; write it as 2027-01-31T08:00 (local time) or 2027-01-31T08:00+00:00"
        ) from None
