"""What the log says of suggestions and revisions, in the chain of their block; and whether the tables hold it.

Every column is said in full but for moments, and candidates and beliefs, of which digests are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import event_contents
from experiments_db.canonical import digest
from experiments_db.differences import Difference
from experiments_db.event_kinds import kind
from experiments_db.logged import Logged, all_are, folds
from experiments_db.models import Revision, Run, Suggestion

SUGGESTED = kind("suggestions made", "designs that somebody is to run, and on what they rest")
TAKEN = kind("suggestion taken", "by whom")
RELEASED = kind("suggestion released", "whoever took it runs it no more")
APPROVED = kind("suggestion approved", "by whom, and at which design if at another")
REJECTED = kind("suggestion rejected", "by whom, and why; it becomes no experiment")
ANSWERED = kind("suggestion answered", "what came back, and who says so")
FAILED = kind("suggestion failed", "that nothing came back, why, and who says so")
ATTEMPTED = kind("suggestion attempted", "a program was started for it")
RECORDED = kind("suggestion recorded", "which experiment it became")
CORRECTED = kind("result corrected", "another outcome or design took the place of one told before; both are kept")
WITHDRAWN = kind("result withdrawn", "a result told before counts for nothing; it is kept")
REVISED = kind("belief revised", "the experiments so far were folded anew, as they hold after a revision")
REOPENED = kind("block reopened", "a finished block goes on after a revision; its findings no longer hold")
CAMPAIGN_REOPENED = kind("campaign reopened", "a finished campaign goes on after a revision; its finding is void")

_MADE = ("number", "known", "revised", "design")
_LATER: dict[str, Any] = {
    "decided_by": None,
    "reason": "",
    "taken_by": None,
    "attempts": 0,
    "used": None,
    "outcome": None,
    "failure": None,
    "answered_by": None,
    "step": None,
}
_OF_REVISION = ("before", "design", "outcome", "by", "reason")
_KIND_OF = {"corrected": CORRECTED, "withdrawn": WITHDRAWN}


def suggested(rows: Sequence[Mapping[str, Any]], rests_on: Mapping[str, Any]) -> dict[str, Any]:
    """Suggestions made at one time. rests_on: the designs under way and refused then, and what made the numbers."""
    return {"suggestions": [_made(row) for row in rows], **rests_on}


def changed(number: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """What was said about one: the columns that it changes."""
    return {"number": number, **{name: value for name, value in values.items() if not name.endswith("_at")}}


def revised(number: int, revision: Revision) -> tuple[str, dict[str, Any]]:
    """The kind and the content of a revision's event; number: of its suggestion within the run."""
    said = {name: getattr(revision, name) for name in _OF_REVISION}
    return _KIND_OF[revision.kind], {"number": number, **said, "superseded": _superseded(revision.superseded)}


def applied(
    place: int, *, known: int, belief: Mapping[str, Any], cost: float, made: Mapping[str, Any]
) -> dict[str, Any]:
    """A belief folded anew after the revision of this place (from 0) among its block's. cost: of the run since."""
    return {"revision": place, "known": known, "belief": digest(belief), "cost": cost, "made": dict(made)}


def check_suggestions(session: Session, block_id: int, logged: Logged, *, older: bool) -> Iterator[Difference]:
    """Where a block's suggestions and revisions are not as the log says; older: some may be older than it."""
    rows = select(Suggestion).join(Run, col(Run.id) == col(Suggestion.run_id)).where(col(Run.block_id) == block_id)
    suggestions = session.scalars(rows.order_by(col(Suggestion.number))).all()
    found = {row.number: _as_logged(row) for row in suggestions}
    for number in sorted(found.keys() | logged.suggestions.keys()):
        yield from _differing(f"suggestion {number}", found.get(number), logged.suggestions.get(number), older=older)
    numbers = {row.id: row.number for row in suggestions}
    mine = select(Revision).where(col(Revision.suggestion_id).in_(list(numbers)))
    made = [_revision(numbers[row.suggestion_id], row) for row in session.scalars(mine.order_by(col(Revision.id)))]
    for place, (one, other) in enumerate(zip_longest(made, logged.revisions)):
        yield from _differing(f"revision {place}", one, other, older=older)


def _differing(
    place: str, found: dict[str, Any] | None, said: dict[str, Any] | None, *, older: bool
) -> Iterator[Difference]:
    if said is None and older:
        return
    if found is None or said is None:
        yield Difference("tables", "row", found and "a row", said and "an event", place=place)
        return
    for name in said if older else found.keys() | said.keys():
        if found.get(name) != said.get(name):
            yield Difference("tables", name, found.get(name), said.get(name), place=place)


def _made(row: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: row[name] for name in (*_MADE, "status")}
    return {**said, "candidates": digest(row["candidates"])}


def _as_logged(row: Suggestion) -> dict[str, Any]:
    return {**_made({name: getattr(row, name) for name in (*_MADE, "status", "candidates")}),
            **{name: getattr(row, name) for name in _LATER}}  # fmt: skip


def _revision(number: int, row: Revision) -> dict[str, Any]:
    kind_of, said = revised(number, row)
    belief = None if row.belief is None else digest(row.belief)
    return {**said, "kind": kind_of, "known": row.known, "belief": belief}


def _superseded(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [event_contents.finding(entry["run"], entry["content"], entry["text"]) for entry in findings]


@folds(SUGGESTED)
def _suggested(logged: Logged, said: dict[str, Any]) -> None:
    for entry in said["suggestions"]:
        all_are(int, [entry["number"], entry["known"], entry["revised"]])
        if entry["number"] in logged.suggestions:
            logged.strange.append(f"suggestion {entry['number']} is made twice")
        logged.suggestions[entry["number"]] = {**_LATER, **entry}
    logged.made_on.append(said.get("made", {}))


@folds(TAKEN, RELEASED, APPROVED, REJECTED, ANSWERED, FAILED, ATTEMPTED, RECORDED)
def _changed(logged: Logged, said: dict[str, Any]) -> None:
    all_are(int, [said["number"]])
    logged.suggestions.setdefault(said["number"], {"number": said["number"]}).update(said)


def _fold_revision(name: str) -> None:
    @folds(name)
    def fold(logged: Logged, said: dict[str, Any]) -> None:
        all_are(int, [said["number"]])
        logged.revisions.append({**said, "kind": name, "known": None, "belief": None})


for _name in _KIND_OF.values():
    _fold_revision(_name)


@folds(REVISED)
def _applied(logged: Logged, said: dict[str, Any]) -> None:
    all_are(int, [said["revision"], said["known"]])
    all_are(float, [said["cost"]])
    logged.revisions[said["revision"]] |= {"known": said["known"], "belief": said["belief"]}
    logged.revised_cost = (said["known"], said["cost"])
    logged.made_on.append(said.get("made", {}))


@folds(REOPENED)
def _reopened(logged: Logged, said: dict[str, Any]) -> None:
    del said
    logged.ended = None
    logged.findings.clear()


@folds(CAMPAIGN_REOPENED)
def _campaign_reopened(logged: Logged, said: dict[str, Any]) -> None:
    del said
    logged.status = "running"
    logged.findings.pop(None, None)
