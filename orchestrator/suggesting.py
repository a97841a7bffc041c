"""A worker's part where experiments are answered later: suggest, take up answers and revisions, rest until more come.

One pass is: apply what was revised; else take up one answer; else suggest as many as may be outstanding; else rest.
Whatever is taken up is recorded in one transaction with the step that it became, as any other step.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import torch
from sqlalchemy.orm import Session
from torch import Tensor

from domains.errors import DomainError
from experiments_db import accounts, queries, record, revisions, scheduling, suggestions
from experiments_db.database import Database
from experiments_db.models import OUTSTANDING
from experiments_db.queries import BlockRecord, CampaignRecord
from experiments_db.revisions import RevisionRecord
from experiments_db.suggestion_log import ATTEMPTED, RECORDED
from experiments_db.suggestions import NewSuggestion, SuggestionRecord
from meta_learner.rollout import BlockState
from meta_learner.stopping import Ended, end
from orchestrator import caps
from orchestrator.errors import OrganonError
from orchestrator.laboratories.command import CommandLaboratory, ExperimentFailedError
from orchestrator.recording import belief_rows, candidate_rows, experiments_of, outcome_row, outcome_tensor, refold
from orchestrator.suggested_steps import Suggested, SuggestedSteps
from orchestrator.suggestion_rules import answers_elsewhere
from orchestrator.told import told_outcome

_CROWDED_SECONDS = 5.0  # experiments of other runs are all that the cap leaves room for
_FAILURES_IN_A_ROW = 3  # of a program: more of the same will not help


@dataclass(frozen=True)
class _Seen:
    """What the record says of a block at one moment. made: how many suggestions; entries: those not recorded yet."""

    wakes: int
    made: int
    entries: list[SuggestionRecord]
    revised: list[RevisionRecord]

    @property
    def outstanding(self) -> list[SuggestionRecord]:
        return [entry for entry in self.entries if entry.status in OUTSTANDING]


@dataclass(frozen=True)
class _Answer:
    """What came back: outcome by name (None each: nothing), why nothing did, and who says so."""

    outcome: dict[str, float | None]
    failure: str | None
    by: str


@dataclass(frozen=True)
class Hold:
    """How a worker holds its block. made: of what the numbers of a step are; progress: called as work goes on."""

    owner: str
    lease_seconds: float
    made: Callable[[int], dict[str, Any]]
    progress: Callable[[], None]


class Suggesting:
    """One claimed block of one run whose experiments are suggested. ``wakes``: what had come in when it last looked."""

    def __init__(
        self,
        database: Database,
        steps: SuggestedSteps,
        campaign: CampaignRecord,
        block: BlockRecord,
        *,
        hold: Hold,
    ) -> None:
        self.database, self.steps = database, steps
        self.campaign, self.block = campaign, block
        self.hold = hold
        self.wakes = 0
        self.stopped = False  # a cap leaves no room
        self.until: datetime | None = None  # when to look again, where others of the campaign are in the way
        self.elsewhere = answers_elsewhere(campaign.laboratory)
        with database.read() as session:
            (self.run,) = queries.block_runs(session, block.id)

    def advance(self, state: BlockState, pause: Callable[[], bool]) -> tuple[BlockState, bool]:
        """The state after as many passes as there is time for, and whether it rests until somebody answers."""
        while True:
            seen = self._look()
            self.wakes = seen.wakes
            new = next((entry for entry in seen.revised if entry.applied_at is None and entry.step is not None), None)
            if new is not None:
                state = self._revise(new, len(seen.outstanding))
                continue
            if not bool(state.active.any()) or pause():
                return state, False
            after = self._pass(state, seen)
            if after is None:
                return state, True
            state = after
            if self.stopped:
                return state, False

    def _pass(self, state: BlockState, seen: _Seen) -> BlockState | None:
        """One pass; None where there is nothing to do until somebody answers."""
        ready = self._ready(seen)
        if ready is not None:
            return self._take_up(state, ready, seen)
        self.steps.outstanding = len(seen.outstanding)
        state = self.steps.decide(state)
        return self._suggest(state, seen) if bool(state.active.any()) else state

    def _look(self) -> _Seen:
        with self.database.read() as session:
            block = queries.get_block(session, self.block.id)
            made = suggestions.count_suggestions(session, block.id)
            entries = suggestions.suggestions(session, block_id=block.id, statuses=(*OUTSTANDING, "rejected"))
            revised = revisions.revisions(session, block_id=block.id)
        return _Seen(block.wakes, made, entries, revised)

    def _ready(self, seen: _Seen) -> SuggestionRecord | None:
        """The suggestion to take up: answered first, or, where we perform experiments, the first that may run."""
        if not self.elsewhere:
            return next((entry for entry in seen.entries if entry.status == "open"), None)
        answered = [entry for entry in seen.entries if entry.status == "answered"]
        return min(answered, key=lambda entry: (entry.answered_at, entry.id), default=None)

    def _take_up(self, state: BlockState, entry: SuggestionRecord, seen: _Seen) -> BlockState:
        """An answer into the belief and onto the record."""
        if self.elsewhere:
            nothing = dict.fromkeys(self.steps.model.outcome_names)
            answer = _Answer(entry.outcome or nothing, entry.failure, entry.answered_by or "")
        else:
            answer = self._perform(state, entry)
        after = self.steps.answered(
            state,
            self.steps.choice(entry.used or entry.design, entry.candidates),
            outcome_tensor(self.steps.model, [answer.outcome]),
            seconds=entry.decision_ms / 1000,
            outstanding=len(seen.outstanding) - 1,
        )
        now = datetime.now(UTC)
        values: dict[str, Any] = {"status": "recorded", "step": state.step}
        if not self.elsewhere:
            told = None if answer.failure else answer.outcome
            values |= {"outcome": told, "failure": answer.failure, "answered_by": answer.by, "answered_at": now}

        def write(session: Session) -> None:
            self._record_step(session, after, experiments_of(self.steps, after), now)
            suggestions.change(session, entry.id, RECORDED, **values)

        self._in_transaction(write)
        self.hold.progress()
        return after

    def _perform(self, state: BlockState, entry: SuggestionRecord) -> _Answer:
        """Have an experiment run by a laboratory that does so itself."""
        laboratory, model = self.steps.laboratory, self.steps.model
        if isinstance(laboratory, CommandLaboratory):
            return self._ask_program(laboratory, entry)
        point = model.space.from_names(entry.used or entry.design)[None]
        outcomes = laboratory.perform(point, state.belief.history)
        return _Answer(outcome_row(model, outcomes[0]), None, self.campaign.laboratory)

    def _ask_program(self, laboratory: CommandLaboratory, entry: SuggestionRecord) -> _Answer:
        """What a program answers. One that was started and never heard of again is started anew only if it may be."""
        model = self.steps.model
        nothing: dict[str, float | None] = dict.fromkeys(model.outcome_names)
        question = {
            "design": entry.used or entry.design,
            "suggestion": entry.id,
            "attempt": entry.attempts + 1,
            "domain": model.domain.name,
        }
        try:
            if entry.attempts > 0 and not laboratory.command.repeatable:
                raise ExperimentFailedError(
                    "the worker was lost while the program ran, and it is not marked as repeatable in ORGANON_COMMANDS"
                )
            self._in_transaction(lambda session: self._note_attempt(session, entry))
            answer = laboratory.ask(question, self._heartbeat())
            return _Answer(told_outcome(model.domain, answer), None, self.campaign.laboratory)
        except (ExperimentFailedError, DomainError) as error:
            self._check_failures(str(error))
            return _Answer(nothing, str(error), self.campaign.laboratory)

    def _note_attempt(self, session: Session, entry: SuggestionRecord) -> None:
        self._keep(session)
        suggestions.change(session, entry.id, ATTEMPTED, attempts=entry.attempts + 1)

    def _keep(self, session: Session) -> None:
        """Renew the lease; ConflictError where the block is not ours any more."""
        hold, now = self.hold, datetime.now(UTC)
        suggestions.hold_block(session, self.block.id, owner=hold.owner, now=now, lease_seconds=hold.lease_seconds)

    def _heartbeat(self) -> Callable[[], None]:
        """To be called often while a program runs: keeps the lease."""
        held = monotonic()

        def tick() -> None:
            nonlocal held
            self.hold.progress()  # how long a program may take is said of it, in ORGANON_COMMANDS
            if monotonic() - held > self.hold.lease_seconds / 4:
                self._in_transaction(self._keep)
                held = monotonic()

        return tick

    def _check_failures(self, reason: str) -> None:
        """OrganonError where the program has failed too often in a row, this time with it."""
        with self.database.read() as session:
            before = suggestions.last_failures(session, self.block.id, _FAILURES_IN_A_ROW - 1)
        if before == _FAILURES_IN_A_ROW - 1:
            raise OrganonError(
                f"the laboratory {self.campaign.laboratory} failed {_FAILURES_IN_A_ROW} times in a row, last: {reason}"
            )

    def _suggest(self, state: BlockState, seen: _Seen) -> BlockState | None:
        """Record new suggestions; None where no more may be outstanding, or the run has to wait for answers."""
        outstanding = seen.outstanding
        free = int(self.campaign.settings.get("batch", 1)) - len(outstanding)
        if free <= 0:
            return None
        under_way = [entry.used or entry.design for entry in outstanding]
        refused = [entry.design for entry in seen.entries if entry.status == "rejected" and entry.step == state.step]
        chosen = self.steps.suggest(state, under_way, refused, size=free, number=seen.made)
        if not chosen.choices:
            return None if outstanding else self._end_exhausted(state)
        fitting = self._record_suggestions(state, chosen, seen, {"under_way": under_way, "refused": refused})
        if not fitting and outstanding:
            return None
        self.stopped = not fitting
        return state

    def _record_suggestions(
        self, state: BlockState, chosen: Suggested, seen: _Seen, told: dict[str, list[dict[str, Any]]]
    ) -> int:
        """Record as many choices as the campaign's caps leave room for; returns how many.

        told: the designs that the choices were told of.
        """
        model, number = self.steps.model, seen.made
        new = [
            NewSuggestion(
                number=number + place,
                known=state.step,
                revised=sum(entry.applied_at is not None for entry in seen.revised),
                design=dict(model.space.to_names(choice.designs[0])),
                candidates=candidate_rows(model, choice, 0),
                decision_ms=1000.0 * chosen.seconds / len(chosen.choices),
            )
            for place, choice in enumerate(chosen.choices)
        ]
        now, hours = datetime.now(UTC), self.campaign.settings.get("due_hours")
        with self.database.write() as session:
            self._keep(session)
            fitting = self._room(session, [choice.designs for choice in chosen.choices])
            if fitting:
                suggestions.add_suggestions(
                    session,
                    self.block.id,
                    self.run.id,
                    new[:fitting],
                    owner=self.hold.owner,
                    status="proposed" if self.campaign.settings.get("approval") else "open",
                    now=now,
                    due_at=None if hours is None else now + timedelta(hours=hours),
                    lease_seconds=self.hold.lease_seconds,
                    rests_on={**told, "made": self.hold.made(state.step)},
                )
        self.hold.progress()
        return fitting

    def _room(self, session: Session, designs: Sequence[Tensor]) -> int:
        """For how many experiments the campaign's caps leave room; where there is none, and none is outstanding that
        could leave some, the campaign is paused. Locks the campaign, so that no two runs take the same room."""
        campaign = queries.get_campaign(session, self.campaign.id)
        if not caps.has_caps(campaign):
            return len(designs)
        scheduling.lock_campaign(session, campaign.id)
        space, used = self.steps.model.space, accounts.campaign_usage(session, campaign.id)
        waiting = suggestions.suggestions(session, campaign_id=campaign.id, statuses=OUTSTANDING)
        count, cost = len(waiting), sum(space.cost(space.from_names(e.used or e.design)[None]).item() for e in waiting)
        for place, design in enumerate(designs):
            count, cost = count + 1, cost + space.cost(design).item()
            reached = caps.reached_by_campaign(campaign, used, count, cost)
            if reached is not None:
                if not waiting and place == 0:
                    scheduling.pause_because(session, campaign.id, reached)
                self.until = datetime.now(UTC) + timedelta(seconds=_CROWDED_SECONDS) if waiting else None
                return place
        return len(designs)

    def _end_exhausted(self, state: BlockState) -> BlockState:
        """The end of a run to which nothing is worth doing: a step without an experiment, as in every laboratory."""
        nothing = torch.full((1, len(self.steps.model.outcome_names)), math.nan, dtype=torch.float64)
        cheapest = self.steps.model.space.cheapest[None]
        belief = self.steps.absorb(state.belief, cheapest, nothing)
        everybody = torch.ones_like(state.performed)
        after = BlockState(belief, state.spent, end(state.ended, everybody, Ended.EXHAUSTED), performed=~everybody)
        self._in_transaction(lambda session: self._record_step(session, after, [], datetime.now(UTC)))
        return after

    def _revise(self, revision: RevisionRecord, outstanding: int) -> BlockState:
        """The belief folded anew over the experiments as they hold now, up to one revision; recorded with it."""
        with self.database.read() as session:
            recorded = queries.get_block(session, self.block.id).step
            history = revisions.effective_history(session, self.block.id, revision.id)
        self.steps.expect(recorded=recorded, outstanding=outstanding)
        state = refold(self.steps, 1, history, recorded)
        (belief,) = belief_rows(self.steps.model, state.belief)

        def write(session: Session) -> None:
            self._keep(session)
            revisions.mark_applied(
                session,
                self.block.id,
                revision.id,
                known=state.step,
                belief=belief,
                cost=state.spent[0].item(),
                now=datetime.now(UTC),
                made=self.hold.made(state.step),
            )

        self._in_transaction(write)
        return state

    def _record_step(self, session: Session, state: BlockState, rows: Sequence[Any], now: datetime) -> None:
        record.record_step(
            session,
            self.block.id,
            owner=self.hold.owner,
            step=state.step - 1,
            experiments=rows,
            now=now,
            lease_seconds=self.hold.lease_seconds,
            made=self.hold.made(state.step - 1),
        )

    def _in_transaction(self, write: Callable[[Session], None]) -> None:
        with self.database.write() as session:
            write(session)
