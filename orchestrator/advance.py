"""Advancing one block of a campaign: what a worker does. Idempotent by (block, step); the database is the truth."""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from time import monotonic
from typing import Any, Literal

import torch

from domains.loading import load_text
from domains.worlds import DomainModel, Worlds
from experiments_db import queries, record, revisions, scheduling, suggestions
from experiments_db.database import Database
from experiments_db.errors import ConflictError
from experiments_db.models import OUTSTANDING
from experiments_db.queries import BlockRecord, CampaignRecord, DomainRecord
from meta_learner.belief import BeliefSettings
from meta_learner.given import Given, given_experiments, posterior_worlds
from meta_learner.rollout import BlockState
from meta_learner.streams import stream, streams_of
from orchestrator import deaths, services
from orchestrator.cache import BeliefCache
from orchestrator.commands import program
from orchestrator.concluding import run_conclusions
from orchestrator.device import placed
from orchestrator.errors import EXPECTED
from orchestrator.given_data import recorded_measurements
from orchestrator.laboratories import open_laboratory
from orchestrator.lease import AWAY, give_back, heartbeat
from orchestrator.limits import ran_out_of_memory
from orchestrator.logs import about, note
from orchestrator.loop import compose, investigate
from orchestrator.machine import machine_kind
from orchestrator.opening import belief_settings, check_identity, open_steps, recorded_policy
from orchestrator.owner import is_alive, this_process
from orchestrator.pausing import NextStep, Pause
from orchestrator.recording import StepRecorder, experiments_of, refold
from orchestrator.runnable import check_budget, check_laws
from orchestrator.settings import Settings
from orchestrator.suggested_steps import SuggestedSteps
from orchestrator.suggesting import Hold, Suggesting
from orchestrator.suggestion_rules import is_suggested

log = logging.getLogger("organon")
Outcome = Literal["again", "finished", "busy", "waiting"]


def advance(database: Database, settings: Settings, block_id: int) -> Outcome:
    """Advance one block for about ``task_seconds``, recording every step as it happens.

    busy: somebody else holds it, or there is nothing to do; waiting: for somebody's answer. A domain that cannot be
    simulated fails its campaign.
    """
    by = _claimant(settings)
    with database.write() as session:
        block = scheduling.claim(session, block_id, by)
    return "busy" if block is None else _work(database, settings, _Task(block_id, block.campaign_id, by.owner))


def advance_next(database: Database, settings: Settings, progress: Callable[[], None]) -> tuple[Outcome, int | None]:
    """Advance the block whose turn it is, and say which it was; busy, None where nothing waits.

    progress: called after every step recorded. Where workers died over a block, one after another,
    it fails its campaign.
    """
    by = _claimant(settings)
    try:
        with database.write() as session:
            claimed = scheduling.claim_next(session, by)
            if claimed is None:
                return "busy", None
            block, campaign_id = claimed.block, claimed.block.campaign_id
            verdict = deaths.judge(session, settings, claimed)
        if verdict != "try":
            return ("busy", None) if verdict == "wait" else ("finished", block.id)
    except AWAY:
        give_back(database, by.owner)
        return "again", None
    began = monotonic()
    assert block.id is not None
    # A first result tells more than a second: newcomers take one step each before any of them takes more.
    outcome = _work(database, settings, _Task(block.id, campaign_id, by.owner, claimed.others_wait, progress))
    with suppress(*AWAY), database.write() as session:
        scheduling.serve(session, campaign_id, monotonic() - began - settings.task_seconds)
    return outcome, block.id


@dataclass(frozen=True)
class _Task:
    """A block that was claimed, and how it is to be advanced. brief: by one step only."""

    block_id: int
    campaign_id: str
    owner: str
    brief: bool = False
    progress: Callable[[], None] = lambda: None


@about()
def _work(database: Database, settings: Settings, task: _Task) -> Outcome:
    """Advance a claimed block; whatever a domain can do to its worker ends its own campaign, with the reason."""
    try:
        with placed(settings.device), heartbeat(database, task.block_id, task.owner, settings.lease_seconds):
            return _Advance(database, settings, task).run()
    except ConflictError as error:
        log.info("block %s was taken over: %s", task.block_id, error)
        # It is ours still where the record was made and its answer lost.
        return "again" if give_back(database, task.owner) else "busy"
    except AWAY as error:
        log.warning("block %s waits for the database: %s", task.block_id, error)
        give_back(database, task.owner)
        return "again"
    except Exception as error:
        log.exception("block %s failed", task.block_id)
        reason = _reason(error, settings)
    try:
        with database.write() as session:
            record.fail_campaign(session, task.campaign_id, reason, _now())
    except AWAY:
        give_back(database, task.owner)
        return "again"
    return "finished"


def _reason(error: Exception, settings: Settings) -> str:
    if ran_out_of_memory(error):
        limit = f"{settings.memory_limit_mb} MB" if settings.memory_limit_mb else "its share of the machine"
        return (
            f"{type(error).__name__}: {error}: a worker may have {limit} (ORGANON_MEMORY_LIMIT_MB); ask for fewer "
            "--particles, or have fewer runs advance together (ORGANON_BLOCK_RUNS)"
        )
    if isinstance(error, EXPECTED):
        return str(error)
    return f"{type(error).__name__}: {error} (see logs/worker.log in ORGANON_HOME)"


def _claimant(settings: Settings) -> scheduling.Claimant:
    return scheduling.Claimant(
        owner=this_process(),
        now=_now(),
        lease_seconds=settings.lease_seconds,
        slice_seconds=settings.task_seconds,
        owner_is_alive=is_alive,
    )


def _now() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=8)
def _model(identity: str, text: str, attachments: str) -> DomainModel:
    """A recorded domain, compiled; kept, since a worker meets the same one again and again."""
    del identity
    return DomainModel(load_text(text, attachments=json.loads(attachments)))


class _Advance:
    """One claimed block, from its recorded state to its next pause or its end."""

    def __init__(self, database: Database, settings: Settings, task: _Task) -> None:
        self.database, self.settings, self.task, self.owner = database, settings, task, task.owner
        with database.read() as session:
            self.block: BlockRecord = queries.get_block(session, task.block_id)
            self.campaign: CampaignRecord = queries.get_campaign(session, self.block.campaign_id)
            self.domain: DomainRecord = queries.get_domain(session, self.campaign.domain_identity)
            made_before = queries.given_measurements(session, self.campaign.id)
        note(campaign=self.campaign.id, block=self.block.id)
        self.model = _model(self.domain.identity, self.domain.text, json.dumps(self.domain.attachments))
        check_identity(self.model, self.domain.identity)
        if self.block.step == 0:
            check_laws(self.model, of_campaign=self.block.index == 0)
        belief = belief_settings(self.campaign)
        given = given_experiments(self.model, recorded_measurements(made_before)) if made_before else None
        self.laboratory = open_laboratory(
            self.model,
            self.campaign.laboratory,
            seed=self.campaign.seed,
            block=self.block.index,
            runs=self.block.runs,
            attachments=self.domain.attachments,
            worlds=None if given is None else self._worlds(given, belief),
            command=program(settings, self.campaign.laboratory),
        )
        self.suggested = is_suggested(self.campaign.laboratory, self.campaign.settings)
        policy = recorded_policy(settings, self.campaign, self.model)
        self.steps = open_steps(
            self.campaign, self.block, self.model, policy=policy, laboratory=self.laboratory, given=given
        )
        self.machine = machine_kind(settings.device)
        self.key = [self.campaign.id, self.domain.identity, asdict(belief), version("organon"), torch.__version__]

    @property
    def cache(self) -> BeliefCache:
        """Saved beliefs of this block, as they are after what was revised so far."""
        with self.database.read() as session:
            revised = revisions.applied_revisions(session, self.block.id) if self.suggested else 0
        return BeliefCache(self.settings.folder, self.block.id, json.dumps([*self.key, revised]))

    def _worlds(self, given: Given, belief: BeliefSettings) -> Worlds | None:
        """The worlds to go on in after the given experiments: as recorded, at first drawn from what those leave open.

        None for a laboratory that simulates none. Built from their truths both times, so that nothing differs later.
        """
        if self.campaign.laboratory != "simulate":
            return None
        with self.database.read() as session:
            truths = [run.truth for run in queries.block_runs(session, self.block.id) if run.truth is not None]
        if len(truths) < self.block.runs:
            drawn = posterior_worlds(self.model, given, self.block.runs, settings=belief, streams=self._world_stream)
            truths = [self.model.truth(drawn, run) for run in range(self.block.runs)]
        return self.model.worlds_of(truths)

    def _world_stream(self, step: int) -> torch.Generator:
        return stream(self.campaign.seed, self.block.index, step, "world")

    def run(self) -> Outcome:
        state = self._restore()
        if state.step == 0:
            if self.campaign.laboratory != services.ANALYSIS:
                check_budget(self.steps, state)
            self._record_truths()
        # From here: what takes long to restore goes on all the same.
        deadline = monotonic() + (0.0 if self.task.brief else self.settings.task_seconds)
        pause = Pause(self.database, self.block, deadline)
        self.state = state
        if isinstance(self.steps, SuggestedSteps):
            return self._by_suggestions(self.steps, state, pause)
        state = investigate(compose(self.steps), state, [StepRecorder(self._write)], self._pause(pause))
        if bool(state.active.any()):
            self.cache.save(state)
            with self.database.write() as session:
                record.release_block(session, self.block.id, self.owner)
                scheduling.postpone(session, self.block.id, pause.until())
            return "again"
        self._finish(state)
        self.cache.drop()
        return "finished"

    def _by_suggestions(self, steps: SuggestedSteps, state: BlockState, pause: Pause) -> Outcome:
        """The loop where experiments are answered later: until the pause, the end, or until somebody has to answer."""
        while steps.gives(state.step) and not pause(None):
            state = compose(steps).invoke(state, {"callbacks": [StepRecorder(self._write)]})
        flow = Suggesting(
            self.database,
            steps,
            self.campaign,
            self.block,
            hold=Hold(self.owner, self.settings.lease_seconds, self.made, self.task.progress),
        )
        state, resting = flow.advance(state, lambda: pause(None))
        if bool(state.active.any()):
            self.cache.save(state)
            with self.database.write() as session:
                if not resting:
                    record.release_block(session, self.block.id, self.owner)
                    scheduling.postpone(session, self.block.id, flow.until)
                    return "again"
                rests = suggestions.rest_block(session, self.block.id, self.owner, flow.wakes)
                return "waiting" if rests else "again"
        if not self._finish(state, flow.wakes):
            return "again"
        self.cache.drop()
        return "finished"

    def _pause(self, pause: Pause) -> Callable[[], bool]:
        """Asked before every step of the loop."""
        return lambda: pause(self._next_step())

    def _next_step(self) -> NextStep:
        """What the step to come runs, at the least it can cost. Experiments made before the campaign are not run."""
        state = self.state
        if self.steps.gives(state.step) or self.campaign.laboratory == services.ANALYSIS:
            return NextStep(0, 0.0)
        runs = int(state.active.sum())
        return NextStep(runs, runs * self.model.space.cost(self.model.space.cheapest).item())

    def _restore(self) -> BlockState:
        """The state after the recorded steps: from the cache, or by folding them anew."""
        if isinstance(self.steps, SuggestedSteps):
            with self.database.read() as session:
                waited = suggestions.suggestions(session, block_id=self.block.id, statuses=OUTSTANDING)
            self.steps.expect(recorded=self.block.step, outstanding=len(waited))
        if self.block.step == 0:
            return self.steps.begin(self.block.runs)
        cached = self.cache.load(self.block.step)
        if cached is not None:
            return cached
        with self.database.read() as session:
            history = revisions.effective_history(session, self.block.id)
        return refold(self.steps, self.block.runs, history, self.block.step)

    def _record_truths(self) -> None:
        worlds = self.laboratory.worlds
        if worlds is None:
            return
        truths = [self.model.truth(worlds, run) for run in range(self.block.runs)]
        self._in_transaction(lambda session: record.record_truths(session, self.block.id, truths))

    def _write(self, state: BlockState) -> None:
        note(step=state.step - 1)
        rows = experiments_of(self.steps, state)
        self._in_transaction(
            lambda session: record.record_step(
                session,
                self.block.id,
                owner=self.owner,
                step=state.step - 1,
                experiments=rows,
                now=_now(),
                lease_seconds=self.settings.lease_seconds,
                made=self.made(state.step - 1),
            )
        )
        self.state = state
        self.task.progress()
        log.debug("step recorded")

    def made(self, step: int) -> dict[str, Any]:
        """Of what the numbers of a step are: the streams' name, versions and kind of machine."""
        return {"streams": streams_of(self.campaign.seed, self.block.index, step), **self.machine}

    def _finish(self, state: BlockState, wakes: int | None = None) -> bool:
        """Record what each run found, end the block, and, with the last block, the campaign.

        wakes: what had come in when the end was found; where more has since, the block is released and false returned.
        """
        with self.database.read() as session:
            runs = queries.block_runs(session, self.block.id)
        found = run_conclusions(self.steps, state, self.campaign, self.block, runs)
        with self.database.write() as session:
            if wakes is not None and not suggestions.is_settled(session, self.block.id, wakes):
                record.release_block(session, self.block.id, self.owner)
                return False
            for run, content, text in found:
                record.save_finding(session, self.campaign.id, run.id, content, text, _now())
            record.finish_block(session, self.block.id, self.owner, _now())
            services.conclude(session, self.campaign.id)
        log.info("block finished")
        return True

    def _in_transaction(self, write: Callable[[Any], None]) -> None:
        with self.database.write() as session:
            write(session)
