"""Looking through campaigns, runs, experiments and findings: filtered and paged by the database, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.models import Campaign, Domain, Experiment, Finding, Run
from experiments_db.words import has_words

_FETCH_ROWS = 500


@dataclass(frozen=True)
class Browse:
    """What to look through, and what for; empty: all.

    words: in the campaign's id, its question, message and laboratory, of findings in their text. since, until: when
    the campaign was created; the experiment, the finding recorded.
    """

    table: str
    domain: str = ""
    status: str = ""
    policy: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    campaign: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything but the time is asked for."""
        return bool(self.domain or self.status or self.policy or self.words or self.campaign)


@dataclass(frozen=True)
class _Source:
    """Where a table's rows come from: its key, its moment, its columns by the name that they are shown under."""

    key: Any
    moment: Any
    status: Any
    columns: dict[str, Any]


def _sources() -> dict[str, _Source]:
    of_campaign = {"domain": col(Domain.name), "policy": col(Campaign.policy), "laboratory": col(Campaign.laboratory)}
    campaign_id, belief = col(Campaign.id), col(Experiment.belief)
    names = ("runs", "budget", "seed", "message", "created_at", "started_at", "finished_at")
    return {
        "campaigns": _Source(
            campaign_id,
            col(Campaign.created_at),
            col(Campaign.status),
            {"campaign": campaign_id, "status": col(Campaign.status), **of_campaign, "question": col(Domain.title)}
            | {name: col(getattr(Campaign, name)) for name in names},
        ),
        "runs": _Source(
            col(Run.id),
            col(Campaign.created_at),
            col(Run.status),
            {"campaign": campaign_id, "run": col(Run.index), "status": col(Run.status), **of_campaign}
            | {"steps": col(Run.steps), "cost": col(Run.cost), "truth": col(Run.truth)},
        ),
        "experiments": _Source(
            col(Experiment.id),
            col(Experiment.created_at),
            col(Run.status),
            {"campaign": campaign_id, "run": col(Run.index), "step": col(Experiment.step), **of_campaign}
            | {name: col(getattr(Experiment, name)) for name in ("design", "outcome", "cost", "information", "given")}
            | {"law": belief["most_probable"].as_string(), "created_at": col(Experiment.created_at)},
        ),
        "findings": _Source(
            col(Finding.id),
            col(Finding.created_at),
            col(Campaign.status),
            {"campaign": campaign_id, "run": col(Run.index), **of_campaign, "finding": col(Finding.text)}
            | {"created_at": col(Finding.created_at)},
        ),
    }


TABLES = tuple(_sources())


def browse_columns(table: str) -> list[str]:
    """The columns that are shown of a table."""
    return list(_sources()[table].columns)


def browse(session: Session, wanted: Browse, *, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
    """A page of rows, newest first."""
    source = _sources()[wanted.table]
    page = _ordered(wanted, source, _filtered(wanted, source, select(source.key)))
    keys = session.scalars(page.limit(limit).offset(offset)).all()  # first which, so that no content is sorted
    query = _ordered(wanted, source, _joined(wanted.table, _shown(source)).where(source.key.in_(keys)))
    return [dict(row) for row in session.execute(query).mappings()]


def browse_all(session: Session, wanted: Browse, *, limit: int) -> Iterator[dict[str, Any]]:
    """Every row that fits, newest first, up to a limit. Read it within the session."""
    source = _sources()[wanted.table]
    query = _ordered(wanted, source, _filtered(wanted, source, _shown(source))).limit(limit)
    for row in session.execute(query.execution_options(yield_per=_FETCH_ROWS)).mappings():
        yield dict(row)


def _shown(source: _Source) -> Select[Any]:
    return select(*(column.label(name) for name, column in source.columns.items()))


def _joined(table: str, query: Select[Any]) -> Select[Any]:
    if table == "campaigns":
        query = query.select_from(Campaign)
    elif table == "runs":
        query = query.select_from(Run).join(Campaign, col(Campaign.id) == col(Run.campaign_id))
    elif table == "experiments":
        query = query.select_from(Experiment).join(Run, col(Run.id) == col(Experiment.run_id))
        query = query.join(Campaign, col(Campaign.id) == col(Run.campaign_id))
    else:
        query = query.select_from(Finding).join(Campaign, col(Campaign.id) == col(Finding.campaign_id))
        query = query.outerjoin(Run, col(Run.id) == col(Finding.run_id))
    return query.join(Domain, col(Domain.identity) == col(Campaign.domain_identity))


def _ordered(wanted: Browse, source: _Source, query: Select[Any]) -> Select[Any]:
    """Newest first. Experiments and runs by their numbers, which rise in time.

    Of narrowed ones the number is disguised: SQLite would else walk all rows from the last, to have them in order.
    """
    if wanted.table in ("campaigns", "findings"):
        return query.order_by(source.moment.desc(), source.key.desc())
    return query.order_by((source.key + 0 if wanted.narrowed else source.key).desc())


def _filtered(wanted: Browse, source: _Source, query: Select[Any]) -> Select[Any]:
    query = _joined(wanted.table, query)
    equal = ((col(Domain.name), wanted.domain), (col(Campaign.policy), wanted.policy), (source.status, wanted.status))
    query = query.where(*(column == value for column, value in (*equal, (col(Campaign.id), wanted.campaign)) if value))
    if wanted.since is not None:
        query = query.where(source.moment >= wanted.since)
    if wanted.until is not None:
        query = query.where(source.moment < wanted.until)
    return query.where(_holds(wanted)) if wanted.words else query


def _holds(wanted: Browse) -> ColumnElement[bool]:
    """Every word somewhere. Campaigns are looked through first: SQLite would else join every experiment to its own."""
    places = [col(Campaign.id), col(Domain.title), col(Campaign.message), col(Campaign.laboratory)]
    if wanted.table == "findings":
        return has_words(wanted.words, [*places, col(Finding.text)])
    of_campaigns = select(col(Campaign.id)).join(Domain, col(Domain.identity) == col(Campaign.domain_identity))
    return col(Campaign.id).in_(of_campaigns.where(has_words(wanted.words, places)))
