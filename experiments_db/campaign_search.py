"""Finding campaigns among many: by status, domain, policy and words; and how many there are of each status."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import queries
from experiments_db.models import Campaign, Domain
from experiments_db.queries import CampaignSummary
from experiments_db.words import has_words

_Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Sought:
    """What is looked for; empty: whatever it is. words: each in the id, title, domain, policy or laboratory."""

    status: str = ""
    domain: str = ""
    policy: str = ""
    words: str = ""


def search_campaigns(session: Session, sought: Sought, *, limit: int, offset: int = 0) -> list[CampaignSummary]:
    """Return the campaigns that fit, newest first."""
    query = _where(_joined(), sought, with_status=True)
    newest = query.order_by(col(Campaign.created_at).desc(), col(Campaign.id)).limit(limit).offset(offset)
    return queries.summaries(session, newest)


def campaigns_by_id(session: Session, ids: Sequence[str]) -> list[CampaignSummary]:
    """Return these campaigns, in the order of their ids as given; those that are gone are left out."""
    query = _joined().where(col(Campaign.id).in_(ids))
    found = {entry.campaign.id: entry for entry in queries.summaries(session, query)}
    return [found[campaign_id] for campaign_id in ids if campaign_id in found]


def count_by_status(session: Session, sought: Sought) -> dict[str, int]:
    """Return how many campaigns fit, by their status; the status that is looked for aside."""
    query: _Query = select(col(Campaign.status), func.count())
    if sought.domain or sought.words:
        query = query.join(Domain)
    grouped = _where(query, sought, with_status=False).group_by(col(Campaign.status))
    return {status: int(count) for status, count in session.execute(grouped)}


def policies_used(session: Session) -> list[str]:
    """Return the policies that campaigns were asked for, by name."""
    return list(session.scalars(select(col(Campaign.policy)).distinct().order_by(col(Campaign.policy))))


def domains_asked(session: Session) -> list[str]:
    """Return the names of the domains that campaigns were asked about."""
    asked = select(col(Campaign.id)).where(col(Campaign.domain_identity) == col(Domain.identity)).exists()
    return list(session.scalars(select(col(Domain.name)).where(asked).distinct().order_by(col(Domain.name))))


def _joined() -> _Query:
    return select(Campaign, col(Domain.name), col(Domain.title)).join(Domain)


def _where(query: _Query, sought: Sought, *, with_status: bool) -> _Query:
    if with_status and sought.status:
        query = query.where(col(Campaign.status) == sought.status)
    if sought.policy:
        query = query.where(col(Campaign.policy) == sought.policy)
    if sought.domain:
        query = query.where(col(Domain.name) == sought.domain)
    named = (Campaign.id, Domain.name, Domain.title, Campaign.policy, Campaign.laboratory)
    return query.where(has_words(sought.words, [col(column) for column in named])) if sought.words else query
