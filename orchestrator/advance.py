"""Advancing one block of a campaign: what a worker does. Idempotent by (block, step); the database is the truth."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from time import monotonic
from typing import Any, Literal

import torch
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from domains.conformance import check_domain
from domains.errors import DomainError
from domains.loading import load_text
from domains.worlds import DomainModel, Worlds
from experiments_db import queries, record, revisions, suggestions
from experiments_db.database import Database
from experiments_db.errors import ConflictError, UnreachableDatabaseError
from experiments_db.models import OUTSTANDING, Block
from experiments_db.queries import BlockRecord, CampaignRecord, DomainRecord
from meta_learner.belief import BeliefSettings
from meta_learner.given import Given, given_experiments, posterior_worlds
from meta_learner.rollout import BlockState, BlockSteps
from meta_learner.stopping import Ended, StoppingRules
from meta_learner.streams import stream
from orchestrator import findings, services
from orchestrator.cache import BeliefCache
from orchestrator.checking import check_finite
from orchestrator.commands import program
from orchestrator.device import placed
from orchestrator.errors import EXPECTED
from orchestrator.given_data import recorded_measurements
from orchestrator.laboratories import open_laboratory
from orchestrator.logs import note
from orchestrator.loop import compose, investigate
from orchestrator.owner import is_alive, this_process
from orchestrator.policies import open_policy
from orchestrator.recording import StepRecorder, answer_rows, belief_rows, experiments_of, refold
from orchestrator.settings import Settings
from orchestrator.suggested_steps import SuggestedSteps
from orchestrator.suggesting import Suggesting
from orchestrator.suggestion_rules import is_suggested

log = logging.getLogger("organon")
Outcome = Literal["again", "finished", "busy", "waiting"]


def advance(database: Database, settings: Settings, block_id: int) -> Outcome:
    """Advance a block for about ``task_seconds``, recording every step as it happens.

    busy: somebody else holds it, or there is nothing to do; waiting: for somebody's answer. A domain that cannot be
    simulated fails its campaign.
    """
    owner = this_process()
    with database.write() as session:
        claimed = _claim(session, settings, block_id, owner)
        if claimed is None:
            return "busy"
        campaign_id = claimed.campaign_id
    try:
        with placed(settings.device):
            return _Advance(database, settings, block_id, owner).run()
    except ConflictError as error:
        log.info("block %s was taken over: %s", block_id, error)
        return "busy"
    except (UnreachableDatabaseError, DBAPIError):
        raise  # the record is away for a while: the watchdog sends the block again
    except Exception as error:  # whatever a domain can do to its worker ends its own campaign, with the reason
        log.exception("block %s failed", block_id)
        reason = (
            str(error)
            if isinstance(error, EXPECTED)
            else f"{type(error).__name__}: {error} (see logs/worker.log in ORGANON_HOME)"
        )
        with database.write() as session:
            record.fail_campaign(session, campaign_id, reason, _now())
        return "finished"


def _claim(session: Session, settings: Settings, block_id: int, owner: str) -> Block | None:
    """Take or renew the lease of a block; None where it is not to be had."""
    return record.claim_block(
        session, block_id, owner=owner, now=_now(), lease_seconds=settings.lease_seconds, owner_is_alive=is_alive
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

    def __init__(self, database: Database, settings: Settings, block_id: int, owner: str) -> None:
        self.database, self.settings, self.owner = database, settings, owner
        self.claimed_at = monotonic()
        with database.read() as session:
            self.block: BlockRecord = queries.get_block(session, block_id)
            self.campaign: CampaignRecord = queries.get_campaign(session, self.block.campaign_id)
            self.domain: DomainRecord = queries.get_domain(session, self.campaign.domain_identity)
            made_before = queries.given_measurements(session, self.campaign.id)
        note(campaign=self.campaign.id, block=block_id)
        self.model = _model(self.domain.identity, self.domain.text, json.dumps(self.domain.attachments))
        self._check_identity()
        if self.block.step == 0:
            self._check_laws()
        belief = BeliefSettings(**self.campaign.settings["belief"])
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
        agent = self.campaign.settings.get("agent")
        self.steps = (SuggestedSteps if self.suggested else BlockSteps)(
            self.model,
            open_policy(settings, self.campaign.policy, agent and agent["weights"], self.model),
            self.laboratory,
            budget=self.campaign.budget,
            seed=self.campaign.seed,
            block=self.block.index,
            settings=belief,
            given=given,
            stop=StoppingRules(**(self.campaign.settings.get("stop") or {})),
            batch=1 if self.suggested else self.campaign.settings.get("batch", 1),
        )
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

    def _check_identity(self) -> None:
        """DomainError where the laws are Python and their code is another than when the campaign was created."""
        if self.model.domain.identity != self.domain.identity:
            raise DomainError(
                f"the Python laws of {self.domain.name!r} here are not those that this campaign was created with; "
                "run its workers where the same version of their package is installed"
            )

    def _world_stream(self, step: int) -> torch.Generator:
        """The stream of one step of drawing worlds. Long tables take minutes: the lease is renewed on the way."""
        if monotonic() - self.claimed_at > self.settings.lease_seconds / 3:
            with self.database.write() as session:
                claimed = _claim(session, self.settings, self.block.id, self.owner)
            if claimed is None:
                raise ConflictError(f"block {self.block.id} was paused, cancelled or taken while worlds were drawn")
            self.claimed_at = monotonic()
        return stream(self.campaign.seed, self.block.index, step, "world")

    def run(self) -> Outcome:
        state = self._restore()
        if state.step == 0:
            self._check_budget(state)
            self._record_truths()
        deadline = (
            monotonic() + self.settings.task_seconds
        )  # from here: what takes long to restore goes on all the same
        if isinstance(self.steps, SuggestedSteps):
            return self._by_suggestions(self.steps, state, self._pause(deadline))
        state = investigate(compose(self.steps), state, [StepRecorder(self._write)], self._pause(deadline))
        if bool(state.active.any()):
            self.cache.save(state)
            self._in_transaction(lambda session: record.release_block(session, self.block.id, self.owner))
            return "again"
        self._finish(state)
        self.cache.drop()
        return "finished"

    def _by_suggestions(self, steps: SuggestedSteps, state: BlockState, pause: Callable[[], bool]) -> Outcome:
        """The loop where experiments are answered later: until the pause, the end, or until somebody has to answer."""
        while steps.gives(state.step) and not pause():
            state = compose(steps).invoke(state, {"callbacks": [StepRecorder(self._write)]})
        flow = Suggesting(
            self.database,
            steps,
            self.campaign,
            self.block,
            owner=self.owner,
            lease_seconds=self.settings.lease_seconds,
        )
        state, resting = flow.advance(state, pause)
        if bool(state.active.any()):
            self.cache.save(state)
            with self.database.write() as session:
                if not resting:
                    record.release_block(session, self.block.id, self.owner)
                    return "again"
                rests = suggestions.rest_block(session, self.block.id, self.owner, flow.wakes)
                return "waiting" if rests else "again"
        if not self._finish(state, flow.wakes):
            return "again"
        self.cache.drop()
        return "finished"

    def _pause(self, deadline: float) -> Callable[[], bool]:
        """Time is up, or the campaign was paused, cancelled or failed meanwhile."""

        def pause() -> bool:
            if monotonic() >= deadline:
                return True
            with self.database.read() as session:
                return queries.get_campaign(session, self.campaign.id).status != "running"

        return pause

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

    def _check_laws(self) -> None:
        """DomainError where the laws do not simulate, or are Python and do not keep to the rules."""
        if self.model.simulator is not None and self.block.index == 0:  # once a campaign
            problems = check_domain(self.model.domain)
            if problems:
                raise DomainError(f"the Python laws do not keep to the rules: {problems[0]} (organon domain check)")
        report = check_finite(self.model.domain, self.model)
        for law in report["mechanisms"]:
            if not law["ok"]:
                raise DomainError(
                    f"the law {law['mechanism']!r} gives values that are not finite for {law['broken']:.1%} of the "
                    f"prior, for example at {law['example']}; mend the law, or narrow the priors or the designs"
                )

    def _check_budget(self, state: BlockState) -> None:
        """DomainError where the budget pays for nothing, unless nothing is to be run."""
        if self.campaign.laboratory != services.ANALYSIS and not bool(self.steps.affords(state).any()):
            cheapest = self.model.space.cost(self.model.space.cheapest).item()
            raise DomainError(
                f"the budget of {self.campaign.budget:g} pays for no experiment: the cheapest costs {cheapest:g}"
            )

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
            )
        )
        log.debug("step recorded")

    def _finish(self, state: BlockState, wakes: int | None = None) -> bool:
        """Record what each run found, end the block, and, with the last block, the campaign.

        wakes: what had come in when the end was found; where more has since, the block is released and false returned.
        """
        domain = self.model.domain
        beliefs = belief_rows(self.model, state.belief)
        answers = answer_rows(self.model, self.laboratory, self.steps.answer(state), len(beliefs))
        with self.database.write() as session:
            if wakes is not None and not suggestions.is_settled(session, self.block.id, wakes):
                record.release_block(session, self.block.id, self.owner)
                return False
            for run in queries.block_runs(session, self.block.id):
                row = run.index - self.block.first_run
                belief = {**beliefs[row], **answers[row]}
                content = findings.run_finding(
                    domain,
                    belief,
                    experiments=run.steps,
                    cost=run.cost,
                    given=self.steps.given_rows,
                    ended=Ended(int(state.ended[row])).name.lower(),
                    stop=self.campaign.settings.get("stop"),
                )
                text = findings.run_text(domain, content)
                record.save_finding(session, self.campaign.id, run.id, content, text, _now())
            record.finish_block(session, self.block.id, self.owner, _now())
            services.conclude(session, self.campaign.id)
        log.info("block finished")
        return True

    def _in_transaction(self, write: Callable[[Any], None]) -> None:
        with self.database.write() as session:
            write(session)
