"""A block from its seeds, step by step, beside what is recorded of it."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from domains.worlds import DomainModel, Worlds
from experiments_db.block_rows import ExperimentRecord
from experiments_db.canonical import canonical
from experiments_db.chains import EventRecord
from experiments_db.differences import Difference
from experiments_db.queries import BlockRecord, CampaignRecord, RunRecord
from experiments_db.record import NewExperiment
from experiments_db.suggestions import SuggestionRecord
from meta_learner.belief import History
from meta_learner.given import Given, given_experiments, posterior_worlds
from meta_learner.laboratory import Laboratory
from meta_learner.policies import Policy, Pool
from meta_learner.rollout import BlockState, BlockSteps
from meta_learner.stopping import Ended
from meta_learner.streams import stream
from orchestrator.concluding import run_conclusions
from orchestrator.given_data import recorded_measurements
from orchestrator.laboratories import open_laboratory
from orchestrator.opening import belief_settings, open_steps
from orchestrator.recording import experiments_of, recorded_tensors
from orchestrator.suggestion_rules import MANUAL, is_measured
from orchestrator.verification.report import BlockReplay
from orchestrator.verification.tolerance import different, far_beliefs, far_numbers

_FIELDS = ("design", "outcome", "cost", "information", "given", "belief", "candidates")
_REPRODUCIBLE = ("simulate", "replay", "none")  # laboratories whose outcomes follow from seeds or tables


@dataclass(frozen=True)
class RecordedBlock:
    """All that is recorded of a block; findings: run's index → content and text; revised: place of a revision among the
    block's → the belief folded anew after it; events: of the block's chain."""

    campaign: CampaignRecord
    block: BlockRecord
    runs: list[RunRecord]
    experiments: list[ExperimentRecord]
    findings: Mapping[int, tuple[dict[str, Any], str]]
    given: list[dict[str, Any]]
    attachments: Mapping[str, str]
    suggestions: Sequence[SuggestionRecord]
    revised: Mapping[int, dict[str, Any]]
    events: Sequence[EventRecord]


class _RecordedLaboratory:
    """A laboratory whose outcomes are those recorded; ``genuine`` is the one that they are compared with."""

    def __init__(self, genuine: Laboratory, outcomes: list[Tensor]) -> None:
        self.genuine, self._outcomes = genuine, outcomes
        self.worlds: Worlds | None = genuine.worlds

    def pool(self, history: History) -> Pool | None:
        return self.genuine.pool(history)

    def perform(self, designs: Tensor, history: History) -> Tensor:
        del designs
        return self._outcomes[history.steps]


class Replay:
    """One block replayed. On the kind of machine that recorded it, everything anew from the seeds; elsewhere designs
    and outcomes as recorded, so that each belief is compared for itself."""

    def __init__(self, model: DomainModel, policy: Policy, found: RecordedBlock, *, same_kind: bool) -> None:
        self.found, self.model, self.same_kind = found, model, same_kind
        self.report = BlockReplay(found.block.index, same_kind)
        self.by_step: dict[int, list[ExperimentRecord]] = {}
        for experiment in found.experiments:
            self.by_step.setdefault(experiment.step, []).append(experiment)
        campaign = found.campaign
        given = given_experiments(model, recorded_measurements(found.given)) if found.given else None
        self.genuine = open_laboratory(
            model,
            MANUAL if is_measured(campaign.laboratory) else campaign.laboratory,  # nobody is asked anew
            seed=campaign.seed,
            block=found.block.index,
            runs=found.block.runs,
            attachments=found.attachments,
            worlds=None if given is None else self._worlds(given),
        )
        self.reproducible = campaign.laboratory.partition(":")[0] in _REPRODUCIBLE
        self.forced = not (same_kind and self.reproducible)
        laboratory: Laboratory = self.genuine
        if self.forced:
            taken = [self._tensors(step)[2] for step in range(found.block.step)]
            laboratory = _RecordedLaboratory(self.genuine, taken)
        self.steps: BlockSteps = open_steps(
            campaign, found.block, model, policy=policy, laboratory=laboratory, given=given
        )

    def run(self, told: Callable[[int], None]) -> BlockReplay:
        """Replay every recorded step; told: how many are done."""
        self._truths()
        state = self.steps.begin(self.found.block.runs)
        for step in range(self.found.block.step):
            state = self._step(state, step)
            told(step + 1)
        if self.found.findings and self.same_kind:
            self._findings(state)
        return self.report

    def _step(self, state: BlockState, step: int) -> BlockState:
        chosen = self.steps.design(self.steps.hypothesise(state))
        if self.forced:
            chosen = self._as_recorded(chosen, step)
        done = self.steps.decide(self.steps.update(self.steps.experiment(chosen)))
        rows = {row.row: row for row in experiments_of(self.steps, done)}
        recorded = {row.row: row for row in self.by_step.get(step, [])}
        for row in sorted(rows.keys() | recorded.keys()):
            if row in rows and row in recorded:
                self._compare(recorded[row], rows[row], step)
            else:
                self._differs("experiment", row in recorded or None, row in rows or None, row, step)
        if self.forced and self.reproducible and not self.steps.gives(step):
            self._outcomes(chosen, step)
        return done

    def _compare(self, recorded: ExperimentRecord, replayed: NewExperiment, step: int) -> None:
        self.report.experiments += 1
        for name in _FIELDS:
            one, other = getattr(recorded, name), json.loads(canonical(getattr(replayed, name)))
            for field, mine, theirs in self._values(name, one, other, step):
                self._differs(field, mine, theirs, recorded.row, step)

    def _values(self, name: str, recorded: Any, replayed: Any, step: int) -> Any:
        if self.same_kind:
            return different(recorded, replayed, name)
        if name == "belief":
            return far_beliefs(recorded, replayed, belief_settings(self.found.campaign).particles, step + 1)
        return far_numbers(recorded, replayed, name) if name in ("cost", "given") else ()

    def _as_recorded(self, chosen: BlockState, step: int) -> BlockState:
        """A decision with the designs that were run, by those that took part; it is counted whether they are alike."""
        took_part, designs, _ = self._tensors(step)
        assert chosen.choice is not None
        if not self.steps.gives(step):
            alike = (chosen.choice.designs == designs).all(-1) & took_part
            self.report.decisions += int(took_part.sum())
            self.report.decisions_alike += int(alike.sum())
            if self.same_kind:
                self._designs(chosen.choice.designs, took_part & ~alike, step)
        ended = torch.where(took_part, int(Ended.NOT_YET), chosen.ended)
        ended = torch.where(~took_part & (ended == Ended.NOT_YET), int(Ended.EXHAUSTED), ended)
        return replace(chosen, choice=replace(chosen.choice, designs=designs), ended=ended)

    def _designs(self, replayed: Tensor, where: Tensor, step: int) -> None:
        recorded = {row.row: row.design for row in self.by_step.get(step, [])}
        for row in where.nonzero()[:, 0].tolist():
            self._differs("design", recorded[row], self.model.space.to_names(replayed[row]), row, step)

    def _outcomes(self, chosen: BlockState, step: int) -> None:
        """What the laboratory would have given at the recorded designs."""
        assert chosen.choice is not None
        values = self.genuine.perform(chosen.choice.designs, chosen.belief.history)
        for recorded in self.by_step.get(step, []):
            found = [value if math.isfinite(value) else None for value in values[recorded.row].tolist()]
            replayed = dict(zip(self.model.outcome_names, found, strict=True))
            for field, mine, theirs in far_numbers(recorded.outcome, replayed, "outcome"):
                self._differs(field, mine, theirs, recorded.row, step)

    def _worlds(self, given: Given) -> Worlds | None:
        """The worlds after the given experiments: drawn anew, or, elsewhere, as recorded."""
        found = self.found
        if found.campaign.laboratory != "simulate":
            return None
        if not self.same_kind and all(run.truth is not None for run in found.runs):
            return self.model.worlds_of([run.truth for run in found.runs if run.truth is not None])
        drawn = posterior_worlds(
            self.model,
            given,
            found.block.runs,
            settings=belief_settings(found.campaign),
            streams=lambda step: stream(found.campaign.seed, found.block.index, step, "world"),
        )
        return self.model.worlds_of([self.model.truth(drawn, run) for run in range(found.block.runs)])

    def _truths(self) -> None:
        worlds = self.genuine.worlds
        for row, run in enumerate(self.found.runs):
            if worlds is None or run.truth is None:
                if run.truth is not None:
                    self._differs("truth", run.truth, None, row, None)
                continue
            replayed = json.loads(canonical(self.model.truth(worlds, row)))
            compare = different if self.same_kind else far_numbers
            for field, mine, theirs in compare(run.truth, replayed, "truth"):
                self._differs(field, mine, theirs, row, None)

    def _findings(self, state: BlockState) -> None:
        found = self.found
        for run, content, text in run_conclusions(self.steps, state, found.campaign, found.block, found.runs):
            recorded = found.findings.get(run.index)
            if recorded is None:
                continue
            row = run.index - found.block.first_run
            replayed = json.loads(canonical(content))
            for field, mine, theirs in different(recorded[0], replayed, "finding"):
                self._differs(field, mine, theirs, row, None)
            if recorded[1] != text:
                self._differs("finding's text", recorded[1], text, row, None)

    def _tensors(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        return recorded_tensors(self.model, self.found.block.runs, self.by_step.get(step, []))

    def _differs(self, field: str, recorded: Any, replayed: Any, row: int, step: int | None) -> None:
        run = self.found.block.first_run + row
        self.report.add(Difference("replay", field, recorded, replayed, run=run, step=step))
