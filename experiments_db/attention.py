"""What needs a person, over all campaigns; each question is answered by indexes or by few rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.models import GOES_ON, Campaign, Domain, Experiment, Finding, Run, Suggestion

_NEWEST = 50  # campaigns among which alarms are looked for: beliefs and findings are large
_WAITING = ("proposed", "open")


@dataclass(frozen=True)
class Asking:
    """A campaign whose suggestions wait for people: to be approved, to be run and told, past their time."""

    campaign_id: str
    domain_title: str
    proposed: int
    open: int
    overdue: int


@dataclass(frozen=True)
class Stopped:
    """A campaign that paused or failed by itself, and why."""

    campaign_id: str
    domain_title: str
    status: str
    message: str


@dataclass(frozen=True)
class Alarm:
    """A campaign some of whose runs met outcomes that no law of its domain explains."""

    campaign_id: str
    domain_title: str
    runs: int


@dataclass(frozen=True)
class NewFinding:
    """What a campaign concluded."""

    campaign_id: str
    domain_title: str
    text: str
    created_at: datetime


def asking(session: Session, now: datetime, *, limit: int = 20) -> list[Asking]:
    """The campaigns with suggestions that wait for somebody, those with overdue ones first."""
    status = col(Suggestion.status)
    overdue = func.sum(case(((status == "open") & (col(Suggestion.due_at) < now), 1), else_=0))
    query = (
        select(
            col(Campaign.id),
            func.max(col(Domain.title)),
            func.sum(case((status == "proposed", 1), else_=0)),
            func.sum(case((status == "open", 1), else_=0)),
            overdue,
        )
        .select_from(Suggestion)
        .join(Run, col(Run.id) == col(Suggestion.run_id))
        .join(Campaign, col(Campaign.id) == col(Run.campaign_id))
        .join(Domain, col(Domain.identity) == col(Campaign.domain_identity))
        .where(status.in_(_WAITING), col(Campaign.status).in_(GOES_ON), _answered_by_people())
        .group_by(col(Campaign.id))
        .order_by(overdue.desc(), func.min(col(Suggestion.created_at)), col(Campaign.id))
    )
    return [Asking(row[0], row[1], *map(int, row[2:])) for row in session.execute(query.limit(limit))]


def stopped(session: Session, *, status: str, limit: int = 10) -> list[Stopped]:
    """Campaigns that paused or failed with a reason, those created last first. What people paused has none."""
    query = (
        select(col(Campaign.id), col(Domain.title), col(Campaign.status), col(Campaign.message))
        .join(Domain, col(Domain.identity) == col(Campaign.domain_identity))
        .where(col(Campaign.status) == status, col(Campaign.message) != "")
        .order_by(col(Campaign.created_at).desc(), col(Campaign.id))
    )
    return [Stopped(*row) for row in session.execute(query.limit(limit))]


def alarms(session: Session, *, limit: int = 10) -> list[Alarm]:
    """Of the newest campaigns, those with runs whose last outcomes, or whose finding, no law explains."""
    found: dict[str, Alarm] = {}
    for query in (_surprised_now(), _surprised_at_last()):
        for row in session.execute(query.limit(limit)):
            found.setdefault(row[0], Alarm(*row))
    return list(found.values())[:limit]


def newest_findings(session: Session, *, limit: int = 5) -> list[NewFinding]:
    """What campaigns concluded, newest first."""
    query = (
        select(col(Campaign.id), col(Domain.title), col(Finding.text), col(Finding.created_at))
        .select_from(Campaign)
        .join(Finding, (col(Finding.campaign_id) == col(Campaign.id)) & col(Finding.run_id).is_(None))
        .join(Domain, col(Domain.identity) == col(Campaign.domain_identity))
        .where(col(Campaign.status) == "finished")
        .order_by(col(Campaign.finished_at).desc(), col(Campaign.id))
    )
    return [NewFinding(*row) for row in session.execute(query.limit(limit))]


def campaign_counts(session: Session) -> dict[str, int]:
    """How many campaigns there are of each status."""
    query = select(col(Campaign.status), func.count()).group_by(col(Campaign.status))
    return {status: int(count) for status, count in session.execute(query)}


def _answered_by_people() -> Any:
    """What is not run by hand waits for a person only until it is approved."""
    return or_(col(Suggestion.status) == "proposed", col(Campaign.laboratory) == "manual")


def _surprised_now() -> Select[Any]:
    """Among campaigns that go on: by the belief after the last experiment of each run."""
    newest = _newest(("running", "paused"))
    diagnostics = col(Experiment.belief)["diagnostics"]
    query: Any = (
        select(col(Campaign.id), func.max(col(Domain.title)), func.count())
        .select_from(Run)
        .join(Experiment, (col(Experiment.run_id) == col(Run.id)) & (col(Experiment.step) == col(Run.steps) - 1))
        .where(or_(diagnostics["surprised"].as_boolean(), diagnostics["explained"].as_boolean().is_(False)))
        .where(col(Run.campaign_id).in_(newest))
    )
    return _by_campaign(query, Run)


def _surprised_at_last() -> Select[Any]:
    """Among campaigns that have finished: by the findings of their runs."""
    content = col(Finding.content)
    departs = or_(content["explained"].as_boolean().is_(False), content["misfit"].as_string().is_not(None))
    query: Any = (
        select(col(Campaign.id), func.max(col(Domain.title)), func.count())
        .select_from(Finding)
        .where(col(Finding.campaign_id).in_(_newest(("finished",))), col(Finding.run_id).is_not(None), departs)
    )
    return _by_campaign(query, Finding)


def _by_campaign(query: Select[Any], table: type[Run] | type[Finding]) -> Select[Any]:
    return (
        query.join(Campaign, col(Campaign.id) == col(table.campaign_id))
        .join(Domain, col(Domain.identity) == col(Campaign.domain_identity))
        .group_by(col(Campaign.id))
        .order_by(func.max(col(Campaign.created_at)).desc(), col(Campaign.id))
    )


def _newest(statuses: Sequence[str]) -> Any:
    newest = select(col(Campaign.id)).where(col(Campaign.status).in_(statuses))
    return newest.order_by(col(Campaign.created_at).desc()).limit(_NEWEST)
