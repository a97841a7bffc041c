"""The domains on record: the versions of each name, the newest of each, and how often campaigns asked them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.errors import NotFoundError
from experiments_db.models import Campaign, Domain
from experiments_db.queries import CampaignRecord, DomainRecord, view


@dataclass(frozen=True)
class DomainVersion:
    """One version of a domain, without its text and tables, which may be large."""

    identity: str
    name: str
    title: str
    field: str
    source: str
    created_at: datetime


_NAMES = ("identity", "name", "title", "field", "source", "created_at")
_COLUMNS: tuple[Any, ...] = tuple(getattr(Domain, name) for name in _NAMES)


def newest_versions(session: Session, apart_from: Collection[str] = ()) -> list[DomainVersion]:
    """The newest version of each recorded name, by name; those named are left out."""
    order = (col(Domain.created_at).desc(), col(Domain.identity))
    place = func.row_number().over(partition_by=col(Domain.name), order_by=order).label("place")
    ranked = select(*_COLUMNS, place).where(col(Domain.name).not_in(list(apart_from))).subquery()
    newest = select(*(ranked.c[name] for name in _NAMES)).where(ranked.c.place == 1)
    return _versions(session, newest.order_by(ranked.c.name))


def versions(session: Session, name: str) -> list[DomainVersion]:
    """Every version of a name, newest first."""
    mine = select(*_COLUMNS).where(col(Domain.name) == name)
    return _versions(session, mine.order_by(col(Domain.created_at).desc(), col(Domain.identity)))


def find_version(session: Session, name: str, prefix: str = "") -> DomainRecord:
    """A version by its name and the beginning of its identity; without that, the newest.

    Raises:
        NotFoundError: there is none such, or more than one begins so.
    """
    mine = (col(Domain.name) == name, col(Domain.identity).startswith(prefix.lower(), autoescape=True))
    order = (col(Domain.created_at).desc(), col(Domain.identity))
    found = session.scalars(select(Domain).where(*mine).order_by(*order).limit(2 if prefix else 1)).all()
    if len(found) > 1:
        raise NotFoundError(f"'{prefix}' begins more than one version of '{name}': write more of it.")
    if not found:
        version = f" whose version begins with '{prefix}'" if prefix else ""
        raise NotFoundError(f"There is no domain '{name}'{version} on record: the page of domains lists them all.")
    return view(DomainRecord, found[0])


def campaign_counts(session: Session) -> dict[str, int]:
    """How many campaigns asked the domains of each name, whatever the version."""
    query = select(col(Domain.name), func.count()).join(Campaign).group_by(col(Domain.name))
    return {name: int(count) for name, count in session.execute(query)}


def campaigns_of(session: Session, name: str, *, limit: int, offset: int = 0) -> list[tuple[CampaignRecord, str]]:
    """Campaigns that asked any version of a domain, newest first, each with the version's identity."""
    query = select(Campaign).join(Domain).where(col(Domain.name) == name)
    query = query.order_by(col(Campaign.created_at).desc(), col(Campaign.id)).limit(limit).offset(offset)
    return [(view(CampaignRecord, campaign), campaign.domain_identity) for campaign in session.scalars(query)]


def _versions(session: Session, query: Select[Any]) -> list[DomainVersion]:
    return [DomainVersion(*row) for row in session.execute(query)]
