"""A finding with all that is on record around it, as plain values: what pages, exports and comparisons are made of.

The recorded content and text stay as they are; words for reading are made from a report by
``orchestrator.finding_words``. Torch-free.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import log
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from domains.document import Domain
from domains.errors import DomainError
from domains.loading import load_text
from domains.prior_ranges import prior_range
from domains.wording import constants as constants_of
from experiments_db import found, queries, revisions
from experiments_db.database import Database
from experiments_db.judgements import JudgementRecord, finding_of, judgements, standing
from experiments_db.queries import CampaignRecord, DomainRecord, FindingRecord
from orchestrator.errors import RequestError
from orchestrator.finding_names import finding_name, read_name

_DECADES = 30.0  # times its low end: a prior that reaches further is one over orders of magnitude


@dataclass(frozen=True)
class Constant:
    """A constant of the law that was found: what is known of it, and where the prior put its central 90 %."""

    name: str
    label: str
    unit: str
    mean: float | None
    sd: float | None
    low90: float | None
    high90: float | None
    prior_low: float | None = None
    prior_high: float | None = None

    @property
    def described(self) -> str:
        """``km (half-saturation concentration)``."""
        return f"{self.name} ({self.label})" if self.label else self.name

    @property
    def over_decades(self) -> bool:
        """Whether the prior spreads it over orders of magnitude, so that factors count and not differences."""
        low, high, own = self.prior_low, self.prior_high, self.low90
        return None not in (low, high, own) and 0 < (low or 0.0) < (high or 0.0) / _DECADES and (own or 0.0) > 0

    @property
    def left(self) -> float | None:
        """The width of its 90 % interval over that of the prior's, of logarithms where the prior is over decades; None
        where either is not known."""
        ends = (self.low90, self.high90, self.prior_low, self.prior_high)
        if any(end is None for end in ends):
            return None
        values = [float(end or 0.0) for end in ends]
        low, high, prior_low, prior_high = map(log, values) if self.over_decades else values
        return (high - low) / (prior_high - prior_low) if prior_high > prior_low else None


@dataclass(frozen=True)
class Law:
    """A law with its probability; of a campaign of several runs the share of runs in which it was most probable."""

    name: str
    label: str
    probability: float


@dataclass(frozen=True)
class LawStep:
    """The laws' probabilities after so many experiments."""

    experiments: int
    probability: dict[str, float]


@dataclass(frozen=True)
class Judged:
    """A judgement; `holds`: whether it is the one that decides now."""

    verdict: str
    by: str
    reason: str
    at: datetime
    holds: bool


@dataclass(frozen=True)
class Considered:
    """The best design, with its score, of those that were considered for the last experiment and not chosen."""

    design: dict[str, float | str]
    score: float


@dataclass(frozen=True)
class Report:
    """A finding. `runs` is 1 for that of a run, or of a campaign of one run.

    unread: why the domain cannot be read here, so that priors are missing. revised: results corrected or withdrawn.
    """

    name: str
    campaign: str
    run: int | None
    question: str
    domain: str
    field: str
    policy: str
    laboratory: str
    found_at: datetime
    runs: int
    experiments: int
    cost: float
    laws: tuple[Law, ...]
    constants: tuple[Constant, ...]
    steps: tuple[LawStep, ...]
    judgements: tuple[Judged, ...]
    considered: Considered | None
    units: dict[str, str]
    revised: int
    text: str
    content: dict[str, Any]
    unread: str = ""

    @property
    def of_one(self) -> dict[str, Any]:
        """The content of the run that it is about; empty for a campaign of several."""
        inner = self.content if self.run is not None else self.content.get("run")
        return dict(inner or {})

    @property
    def law(self) -> Law | None:
        """The law that leads."""
        return self.laws[0] if self.laws else None

    @property
    def verdict(self) -> Judged | None:
        """The judgement that holds."""
        return next((judged for judged in self.judgements if judged.holds), None)


_AS_JSON: TypeAdapter[list[Report]] = TypeAdapter(list[Report])


def to_json(reports: list[Report]) -> bytes:
    """Reports as JSON: everything, the recorded content among it."""
    return _AS_JSON.dump_json(reports, indent=2)


def from_json(text: bytes) -> list[Report]:
    """What ``to_json`` wrote."""
    return _AS_JSON.validate_json(text)


def read_report(database: Database, name: str) -> Report:
    """A finding by its name (``CAMPAIGN`` or ``CAMPAIGN.RUN``); RequestError or NotFoundError where there is none."""
    campaign_id, run = read_name(database, name)
    with database.read() as session:
        return _report(session, queries.get_campaign(session, campaign_id), finding_of(session, campaign_id, run))


def read_reports(database: Database, names: list[str], most: int = 100) -> list[Report]:
    """Several; RequestError for more than ``most``, which nobody reads side by side."""
    if len(names) > most:
        raise RequestError(f"{len(names)} findings are chosen, and {most} can be looked at together: choose fewer")
    return [read_report(database, name) for name in names]


def _report(session: Session, campaign: CampaignRecord, finding: FindingRecord) -> Report:
    stored = queries.get_domain(session, campaign.domain_identity)
    one = finding.content if finding.run_index is not None else finding.content.get("run") or {}
    # Which run a campaign of one run is about: its first; where it has been extended, none.
    run = finding.run_index if finding.run_index is not None else 0 if one else None
    domain, unread = _read(stored)
    last = None if run is None else found.last_step(session, campaign.id, run)
    steps = [] if run is None else found.law_steps(session, campaign.id, run)
    revised = [
        entry for entry in revisions.revisions(session, campaign_id=campaign.id) if run in (None, entry.run_index)
    ]
    return Report(
        name=finding_name(campaign.id, finding.run_index),
        campaign=campaign.id,
        run=finding.run_index,
        question=stored.title or stored.name,
        domain=stored.name,
        field=stored.field,
        policy=campaign.policy,
        laboratory=campaign.laboratory,
        found_at=finding.created_at,
        runs=1 if one else int(finding.content.get("runs", campaign.runs)),
        experiments=int(finding.content.get("experiments", 0)),
        cost=float(finding.content.get("cost", 0.0)),
        laws=_laws(stored.document, finding.content, one),
        constants=tuple(_constants(stored.document, one, domain)),
        steps=tuple(LawStep(step.step + 1, dict(step.mechanism_probability)) for step in steps),
        judgements=_judged(judgements(session, campaign.id), finding),
        considered=_considered(last),
        units=_units(stored.document),
        revised=len(revised),
        text=finding.text,
        content=finding.content,
        unread=unread,
    )


def _read(stored: DomainRecord) -> tuple[Domain | None, str]:
    """The domain; or None and why: its laws may be another package's, or of a version that is not here."""
    try:
        return load_text(stored.text, f"{stored.name}.yaml", stored.attachments), ""
    except DomainError as error:
        return None, str(error).splitlines()[0]


def _laws(document: Mapping[str, Any], content: Mapping[str, Any], one: Mapping[str, Any]) -> tuple[Law, ...]:
    """The laws, the most probable first."""
    shares: Mapping[str, float] = one.get("mechanism_probability") or {}
    if not one:
        counts: Mapping[str, int] = content.get("most_probable") or {}
        shares = {law: count / max(1, sum(counts.values())) for law, count in counts.items()}
    described = document.get("mechanisms") or {}
    laws = [Law(law, str((described.get(law) or {}).get("label") or ""), share) for law, share in shares.items()]
    return tuple(sorted(laws, key=lambda law: -law.probability))


def _constants(document: Mapping[str, Any], one: Mapping[str, Any], domain: Domain | None) -> list[Constant]:
    law = one.get("mechanism", "")
    own = (((document.get("mechanisms") or {}).get(law) or {}).get("parameters")) or {}
    described = {**(document.get("parameters") or {}), **own}
    priors = _priors(domain, law)
    constants = []
    for name, summary in (one.get("parameters") or {}).items():
        about = described.get(name.partition("[")[0])
        about = about if isinstance(about, Mapping) else {}
        ends = {key: summary.get(key) for key in ("mean", "sd", "low90", "high90")}
        low, high = priors.get(name, (None, None))
        unit = str((one.get("units") or {}).get(name) or about.get("unit") or "")
        constants.append(Constant(name, str(about.get("label") or ""), unit, **ends, prior_low=low, prior_high=high))
    return constants


def _priors(domain: Domain | None, law: str) -> dict[str, tuple[float, float]]:
    """Where the priors of a law's scalar unknowns put their central 90 %."""
    mechanism = next((m for m in domain.mechanisms if m.name == law), None) if domain else None
    if mechanism is None:
        return {}
    fixed = constants_of(mechanism)
    ranges = {parameter.name: prior_range(parameter, fixed) for parameter in mechanism.parameters}
    return {name: (found.low, found.high) for name, found in ranges.items() if found is not None}


def _judged(said: list[JudgementRecord], finding: FindingRecord) -> tuple[Judged, ...]:
    holding = standing(said, finding)
    about = (entry for entry in said if entry.run_index == finding.run_index)
    return tuple(Judged(entry.verdict, entry.by, entry.reason, entry.created_at, entry is holding) for entry in about)


def _considered(last: found.LastStep | None) -> Considered | None:
    others = [entry for entry in (last.candidates if last else []) if last and entry["design"] != last.design]
    return Considered(dict(others[0]["design"]), float(others[0]["score"])) if others else None


def _units(document: Mapping[str, Any]) -> dict[str, str]:
    """The units of designs."""
    designs = document.get("designs") or {}
    return {str(name): str(about.get("unit") or "") for name, about in designs.items() if isinstance(about, Mapping)}
