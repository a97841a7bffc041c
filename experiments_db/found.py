"""Looking through findings: filtered and paged by the database, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.campaign_search import domains_asked, policies_used
from experiments_db.judgements import DECIDING
from experiments_db.models import Campaign, Domain, Experiment, Finding, Judgement, Run
from experiments_db.queries import BeliefStep, view
from experiments_db.words import has_words

UNJUDGED, JUDGED = "not judged", "judged"
OF_CAMPAIGNS, OF_RUNS = "campaigns", "runs"


@dataclass(frozen=True)
class FindingFilter:
    """What findings to list; empty: all.

    verdict: accepted, rejected, ``judged`` (either of them) or ``not judged``; of: ``campaigns`` or ``runs``; words:
    each in its text, its question, or the campaign's id.
    """

    domain: str = ""
    policy: str = ""
    law: str = ""
    words: str = ""
    verdict: str = ""
    of: str = ""
    campaign: str = ""


@dataclass(frozen=True)
class FoundLine:
    """A finding among others; verdict: what holds of it now; said: how many judgements and notes there are."""

    campaign_id: str
    run_index: int | None
    content: dict[str, Any]
    text: str
    created_at: datetime
    domain_name: str
    domain_title: str
    policy: str
    laboratory: str
    verdict: str | None
    said: int


@dataclass(frozen=True)
class FindingChoices:
    """What findings can be filtered by: domains, policies, and the laws of the domain chosen."""

    domains: list[str]
    policies: list[str]
    laws: list[str]


@dataclass(frozen=True)
class LastStep:
    """The last experiment of a run: what it was, and what else was considered, best first."""

    step: int
    design: dict[str, Any]
    candidates: list[Any]


def find_findings(session: Session, wanted: FindingFilter, *, limit: int = 50, offset: int = 0) -> list[FoundLine]:
    """Findings that fit, newest first."""
    page = _numbers(wanted).order_by(col(Finding.created_at).desc(), col(Finding.id).desc())
    numbers = session.scalars(page.limit(limit).offset(offset)).all()  # first which, so that no content is sorted
    query = _lines().where(col(Finding.id).in_(numbers))
    rows = session.execute(query.order_by(col(Finding.created_at).desc(), col(Finding.id).desc()))
    return [view(FoundLine, row) for row in rows]


def count_findings(session: Session, wanted: FindingFilter) -> int:
    """How many fit."""
    return session.scalar(select(func.count()).select_from(_numbers(wanted).subquery())) or 0


def findings_named(session: Session, names: Sequence[tuple[str, int | None]]) -> list[FoundLine]:
    """The findings of these campaigns and runs, in this order; those that are not there are left out."""
    found = []
    for campaign_id, run_index in names:
        run = col(Run.index).is_(None) if run_index is None else col(Run.index) == run_index
        rows = session.execute(_lines().where(col(Finding.campaign_id) == campaign_id, run))
        found += [view(FoundLine, row) for row in rows]
    return found


def finding_choices(session: Session, domain: str = "") -> FindingChoices:
    """What the filters offer."""
    documents = session.scalars(select(col(Domain.document)).where(col(Domain.name) == domain)).all()
    laws = [str(law) for document in documents for law in document.get("mechanisms") or {}]
    return FindingChoices(domains_asked(session), policies_used(session), list(dict.fromkeys(laws)))


def last_step(session: Session, campaign_id: str, run_index: int) -> LastStep | None:
    """The last experiment of a run, None where it has none."""
    query = (
        select(col(Experiment.step), col(Experiment.design), col(Experiment.candidates))
        .join(Run, col(Run.id) == col(Experiment.run_id))
        .where(col(Run.campaign_id) == campaign_id, col(Run.index) == run_index)
        .order_by(col(Experiment.step).desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else LastStep(*row)


def law_steps(session: Session, campaign_id: str, run_index: int) -> list[BeliefStep]:
    """The laws' probabilities of a run after each of its experiments, without its parameters."""
    probability = col(Experiment.belief)["mechanism_probability"]
    query = (
        select(col(Experiment.step), probability)
        .join(Run, col(Run.id) == col(Experiment.run_id))
        .where(col(Run.campaign_id) == campaign_id, col(Run.index) == run_index)
        .order_by(col(Experiment.step))
    )
    return [BeliefStep(step, laws or {}, {}) for step, laws in session.execute(query)]


def _lines() -> Select[Any]:
    said = select(func.count()).where(_about()).correlate(Finding, Run).scalar_subquery()
    columns = [col(getattr(Finding, name)) for name in ("campaign_id", "content", "text", "created_at")]
    return _joined(
        select(
            *columns,
            col(Run.index).label("run_index"),
            col(Domain.name).label("domain_name"),
            col(Domain.title).label("domain_title"),
            *(col(Campaign.policy), col(Campaign.laboratory)),
            _verdict().label("verdict"),
            said.label("said"),
        )
    )


def _joined(query: Select[Any]) -> Select[Any]:
    return (
        query.select_from(Finding)
        .join(Campaign, col(Campaign.id) == col(Finding.campaign_id))
        .join(Domain, col(Domain.identity) == col(Campaign.domain_identity))
        .outerjoin(Run, col(Run.id) == col(Finding.run_id))
    )


def _about() -> ColumnElement[bool]:
    """Judgements of this finding: of its campaign and run."""
    same_run = col(Judgement.run_index).is_not_distinct_from(col(Run.index))
    return and_(col(Judgement.campaign_id) == col(Finding.campaign_id), same_run)


def _verdict() -> Any:
    """The newest verdict since the finding was drawn."""
    since = (col(Judgement.verdict).in_(DECIDING), col(Judgement.created_at) >= col(Finding.created_at))
    query = select(col(Judgement.verdict)).where(_about(), *since).order_by(col(Judgement.id).desc()).limit(1)
    return query.correlate(Finding, Run).scalar_subquery()


def _numbers(wanted: FindingFilter) -> Select[Any]:
    query = _joined(select(col(Finding.id)))
    equal = {Domain.name: wanted.domain, Campaign.policy: wanted.policy, Finding.campaign_id: wanted.campaign}
    query = query.where(*(col(column) == value for column, value in equal.items() if value))
    if wanted.of:
        query = query.where(col(Finding.run_id).is_(None) == (wanted.of == OF_CAMPAIGNS))
    if wanted.verdict:
        decided = {UNJUDGED: _verdict().is_(None), JUDGED: _verdict().is_not(None)}
        query = query.where(decided.get(wanted.verdict, _verdict() == wanted.verdict))
    if wanted.law:
        query = query.where(_of_law(wanted.law))
    if wanted.words:
        places = (col(Finding.text), col(Domain.title), col(Campaign.id))
        query = query.where(has_words(wanted.words, places))
    return query


def _of_law(law: str) -> ColumnElement[bool]:
    """A run that found it, or a campaign with such a run."""
    content: Any = col(Finding.content)
    of_run = [content[path].as_string() == law for path in ("mechanism", ("run", "mechanism"))]
    return or_(*of_run, content["most_probable"][law].as_integer() > 0)
