"""What people and programs say about suggestions: taken, told, failed, approved, rejected, revised. Torch-free."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json import dumps, loads
from typing import Any

from sqlalchemy.orm import Session

from domains.document import Domain
from domains.loading import load_text
from experiments_db import queries, revisions, suggestions
from experiments_db.database import Database
from experiments_db.models import GOES_ON, Revision
from experiments_db.suggestion_log import ANSWERED, APPROVED, FAILED, REJECTED, RELEASED
from experiments_db.suggestions import SuggestionRecord
from orchestrator import services
from orchestrator.errors import RequestError, StateError
from orchestrator.settings import Settings
from orchestrator.suggestion_lines import show, suggestion_line
from orchestrator.suggestion_rules import answers_elsewhere, is_measured
from orchestrator.told import told_design, told_outcome

LONGEST_NAME, LONGEST_REASON = 200, 2000

Values = Mapping[str, Any]
Said = Callable[[SuggestionRecord, Domain], dict[str, Any]]
Held = Callable[[dict[str, Any], Domain], dict[str, Any]]


@dataclass(frozen=True)
class Bench:
    """Suggestions of a record, answered in somebody's name (``by``).

    Each method checks completely before it writes, writes in one transaction, and lets a worker go on. It returns the
    suggestion as plain data. RequestError or DomainError where what is said cannot be, StateError where it comes at the
    wrong time, NotFoundError where there is no such suggestion.
    """

    settings: Settings
    database: Database
    by: str

    def __post_init__(self) -> None:
        _check_said(self.by, "the name of who says so", LONGEST_NAME)

    def take(self, id_or_prefix: str) -> dict[str, Any] | None:
        """The oldest open suggestion of a campaign that nobody has taken, now taken; None if there is none."""
        with self.database.write() as session:
            campaign = queries.get_campaign(session, id_or_prefix)
            _check_elsewhere(campaign.laboratory)
            if campaign.status not in GOES_ON:
                raise StateError(f"campaign {campaign.id} is {campaign.status}: it has no more experiments to run")
            taken = suggestions.take_suggestion(session, campaign.id, self.by, datetime.now(UTC))
            entry = None if taken is None else suggestions.get_suggestion(session, taken)
        return None if entry is None else suggestion_line(entry, datetime.now(UTC))

    def take_this(self, suggestion_id: int) -> dict[str, Any]:
        """An open suggestion, now taken; StateError where somebody else has it, or it is open no more."""
        with self.database.write() as session:
            entry = suggestions.get_suggestion(session, suggestion_id)
            _check_elsewhere(entry.laboratory)
            _check_open(entry, ("open",), "nobody can take it")
            if not suggestions.take_open(session, entry.id, self.by, datetime.now(UTC)):
                raise StateError(f"suggestion {entry.id} was taken by {entry.taken_by or 'somebody else'} already")
        return self._line(suggestion_id)

    def release(self, suggestion_id: int) -> dict[str, Any]:
        """Let a suggestion that was taken be taken by somebody else."""
        with self.database.write() as session:
            entry = suggestions.get_suggestion(session, suggestion_id)
            if not suggestions.move(session, entry.id, ["open"], RELEASED, taken_by=None, taken_at=None):
                raise StateError(f"suggestion {entry.id} is {entry.status}; only an open one can be handed back")
        return self._line(suggestion_id)

    def tell(self, suggestion_id: int, outcome: Values, design: Values | None = None) -> dict[str, Any]:
        """What came back, and at which design if another was set than suggested. Said twice, it counts once."""

        def said(entry: SuggestionRecord, domain: Domain) -> dict[str, Any]:
            used = entry.used if design is None else _different(entry, told_design(domain, design))
            return {"outcome": told_outcome(domain, outcome), "used": used, "failure": None}

        return self._answer(suggestion_id, said)

    def fail(self, suggestion_id: int, reason: str) -> dict[str, Any]:
        """That an experiment was run and brought nothing, and why. It counts as made, with its cost."""
        _check_said(reason, "the reason", LONGEST_REASON)
        return self._answer(suggestion_id, lambda entry, _: {"outcome": None, "used": entry.used, "failure": reason})

    def approve(self, suggestion_id: int, design: Values | None = None) -> dict[str, Any]:
        """Let a proposed experiment be run, at another design if one is given."""

        def said(entry: SuggestionRecord, domain: Domain) -> dict[str, Any]:
            used = None if design is None else _different(entry, told_design(domain, design))
            return {"status": "open", "used": used, "reason": ""}

        return self._decide(suggestion_id, ("proposed",), said)

    def reject(self, suggestion_id: int, reason: str) -> dict[str, Any]:
        """Refuse a suggestion: it is not run and costs nothing, and another is made."""
        _check_said(reason, "the reason", LONGEST_REASON)
        return self._decide(
            suggestion_id, ("proposed", "open"), lambda *_: {"status": "rejected", "reason": reason, "taken_by": None}
        )

    def correct(
        self, suggestion_id: int, outcome: Values, *, reason: str, design: Values | None = None
    ) -> dict[str, Any]:
        """Another outcome, or another design, for a result told before. Old and new stay on record."""

        def held(before: dict[str, Any], domain: Domain) -> dict[str, Any]:
            settled = before["design"] if design is None else told_design(domain, design)
            return {"design": settled, "outcome": told_outcome(domain, outcome)}

        return self._revise(suggestion_id, "corrected", reason, held)

    def withdraw(self, suggestion_id: int, *, reason: str) -> dict[str, Any]:
        """That a result counts for nothing. Its experiment was made all the same, with its cost."""

        def held(before: dict[str, Any], domain: Domain) -> dict[str, Any]:
            return {"design": before["design"], "outcome": dict.fromkeys(domain.outcome_entries)}

        return self._revise(suggestion_id, "withdrawn", reason, held)

    def _answer(self, suggestion_id: int, said: Said) -> dict[str, Any]:
        with self.database.write() as session:
            entry = suggestions.get_suggestion(session, suggestion_id)
            _check_elsewhere(entry.laboratory)
            new = said(entry, _domain(session, entry.domain_identity))
            if _is_told(entry, new):
                return suggestion_line(entry, datetime.now(UTC))  # by a client that did not hear our answer
            _check_open(entry, ("open",), "correct it, if another is right (organon lab correct)")
            suggestions.wake_block(session, entry.block_id)
            new |= {"status": "answered", "answered_by": self.by, "answered_at": datetime.now(UTC)}
            event = ANSWERED if new["failure"] is None else FAILED
            done = suggestions.move(session, entry.id, ("open",), event, **new)
        return self._sent(entry) if done else self._answer(suggestion_id, said)  # else somebody was faster

    def _decide(self, suggestion_id: int, of: tuple[str, ...], said: Said) -> dict[str, Any]:
        with self.database.write() as session:
            entry = suggestions.get_suggestion(session, suggestion_id)
            if not answers_elsewhere(entry.laboratory):
                of = ("proposed",)  # one that is approved may be at work
            new = said(entry, _domain(session, entry.domain_identity))
            _check_open(entry, of, "it is too late for that")
            suggestions.wake_block(session, entry.block_id)
            if new["status"] == "rejected":
                new["step"] = queries.get_block(session, entry.block_id).step
            new |= {"decided_by": self.by, "decided_at": datetime.now(UTC)}
            event = REJECTED if new["status"] == "rejected" else APPROVED
            done = suggestions.move(session, entry.id, of, event, **new)
        return self._sent(entry) if done else self._decide(suggestion_id, of, said)

    def _revise(self, suggestion_id: int, kind: str, reason: str, held: Held) -> dict[str, Any]:
        _check_said(reason, "the reason", LONGEST_REASON)
        with self.database.write() as session:
            block = suggestions.get_suggestion(session, suggestion_id).block_id
            suggestions.wake_block(session, block)  # and locks it: one revision after the other
            entry = suggestions.get_suggestion(session, suggestion_id)
            _check_revisable(entry)
            domain = _domain(session, entry.domain_identity)
            before = _held(session, entry, domain)
            after = held(before, domain)
            if after == before:
                raise RequestError(f"suggestion {entry.id}: that is what is on record already; nothing was changed")
            row = Revision(
                suggestion_id=entry.id,
                kind=kind,
                before=before,
                by=self.by,
                reason=reason,
                created_at=datetime.now(UTC),
                superseded=revisions.reopen(session, block) if entry.status == "recorded" else [],
                **after,
            )
            revisions.add_revision(session, row)
        self._sent(entry)
        return show(self.database, suggestion_id)

    def _sent(self, entry: SuggestionRecord) -> dict[str, Any]:
        """The suggestion as it is now, its block on the way to a worker."""
        services.send_woken(self.settings, self.database, entry.block_id)
        return self._line(entry.id)

    def _line(self, suggestion_id: int) -> dict[str, Any]:
        with self.database.read() as session:
            return suggestion_line(suggestions.get_suggestion(session, suggestion_id), datetime.now(UTC))


def recorded_domain(database: Database, domain_identity: str) -> Domain:
    """A recorded domain, by which what is said is checked."""
    with database.read() as session:
        return _domain(session, domain_identity)


def _is_told(entry: SuggestionRecord, new: Mapping[str, Any]) -> bool:
    return entry.status in ("answered", "recorded") and all(getattr(entry, name) == new[name] for name in new)


def _held(session: Session, entry: SuggestionRecord, domain: Domain) -> dict[str, Any]:
    """The design and the outcome of a result as they hold now, after earlier revisions."""
    made = [
        revision
        for revision in revisions.revisions(session, block_id=entry.block_id)
        if revision.suggestion_id == entry.id
    ]
    if made:
        return {"design": made[-1].design, "outcome": made[-1].outcome}
    nothing = dict.fromkeys(domain.outcome_entries)
    return {"design": entry.used or entry.design, "outcome": entry.outcome or nothing}


def _check_revisable(entry: SuggestionRecord) -> None:
    if not is_measured(entry.laboratory):
        raise RequestError(
            f"suggestion {entry.id}: what the laboratory {entry.laboratory} gives is computed or looked up, and stands"
        )
    if entry.status not in ("answered", "recorded"):
        raise StateError(f"suggestion {entry.id} is {entry.status}: it has no result that could be revised")
    if entry.campaign_status not in (*GOES_ON, "finished"):
        raise StateError(f"campaign {entry.campaign_id} is {entry.campaign_status}: its record is closed")


def _check_elsewhere(laboratory: str) -> None:
    if not answers_elsewhere(laboratory):
        raise RequestError(f"the laboratory {laboratory} answers by itself; results are told to manual ones")


def _check_open(entry: SuggestionRecord, of: tuple[str, ...], otherwise: str) -> None:
    if entry.status not in of:
        wanted = "it waits for approval (organon lab approve)" if entry.status == "proposed" else otherwise
        raise StateError(f"suggestion {entry.id} is {entry.status}; {wanted}")
    if entry.campaign_status not in GOES_ON:
        raise StateError(f"campaign {entry.campaign_id} is {entry.campaign_status}: nothing more is recorded in it")


def _check_said(text: str, what: str, longest: int) -> None:
    if not text.strip() or len(text) > longest or "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise RequestError(f"{what}: 1 to {longest} characters are needed; found {len(text.strip())}")


def _different(entry: SuggestionRecord, design: dict[str, Any]) -> dict[str, Any] | None:
    """A design really set; None where it is the suggested one."""
    return None if design == entry.design else design


def _domain(session: Session, identity: str) -> Domain:
    stored = queries.get_domain(session, identity)
    return _loaded(stored.text, f"{stored.name}.yaml", dumps(stored.attachments))


@lru_cache(maxsize=32)
def _loaded(text: str, file: str, attachments: str) -> Domain:
    return load_text(text, file, loads(attachments))
