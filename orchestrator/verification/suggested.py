"""A block whose experiments were suggested and answered later, replayed event by event of its log.

What people and programs said is taken as recorded, and counted; what follows from it is computed anew: each suggestion
from the belief and the designs under way that it rested on, each belief from the answer before it, and, after a
correction or a withdrawal, the belief folded over the experiments as they held from then on.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from domains.worlds import DomainModel
from experiments_db.canonical import canonical, digest
from experiments_db.chains import EventRecord
from experiments_db.event_kinds import BLOCK_ENDED, STEP
from experiments_db.queries import StepRow
from experiments_db.suggestion_log import CORRECTED, RECORDED, REJECTED, REVISED, SUGGESTED, WITHDRAWN
from meta_learner.policies import Policy
from meta_learner.policies.base import Choice
from meta_learner.rollout import BlockState
from meta_learner.stopping import Ended, end
from orchestrator.recording import belief_rows, candidate_rows, experiments_of, outcome_row, outcome_tensor, refold
from orchestrator.suggested_steps import SuggestedSteps
from orchestrator.suggestion_rules import is_measured
from orchestrator.verification.replaying import RecordedBlock, Replay
from orchestrator.verification.report import BlockReplay
from orchestrator.verification.tolerance import different, far_numbers

_ANSWER_MAY_COME = 1  # outstanding: nobody judges a run at a step after which it had gone on


class SuggestedReplay(Replay):
    """One block of one run, replayed from its events."""

    steps: SuggestedSteps

    def __init__(
        self,
        model: DomainModel,
        policy: Policy,
        found: RecordedBlock,
        *,
        same_kind: bool,
    ) -> None:
        super().__init__(model, policy, found, same_kind=same_kind)
        self.told = is_measured(found.campaign.laboratory)
        recorded = [event.said for event in found.events if event.kind == RECORDED]
        self.became = {said["step"]: said["number"] for said in recorded}  # step → suggestion
        self.steps_of = {said["number"]: said["step"] for said in recorded}
        self.designs: dict[int, dict[str, Any]] = {}  # number of a suggestion → its design
        self.refused: dict[int, int] = {}  # number of a rejected one → how many experiments there were then
        self.revisions: list[dict[str, Any]] = []
        self.applied: set[int] = set()
        self.conclusion: BlockState | None = None
        self.rows = {entry.number: entry for entry in found.suggestions}

    def run(self, told: Callable[[int], None]) -> BlockReplay:
        """Replay every event; told: how many experiments are done."""
        self._truths()
        self.steps.expect(recorded=0, outstanding=_ANSWER_MAY_COME)
        state = self.steps.begin(1)
        for event in self.found.events:
            state = self._event(state, event, event.said)
            if event.kind == STEP:
                told(state.step)
        if self.conclusion is not None and self.found.findings and self.same_kind:
            self._findings(self.conclusion)
        return self.report

    def _event(self, state: BlockState, event: EventRecord, said: dict[str, Any]) -> BlockState:
        if event.kind == SUGGESTED:
            self._suggestions(state, said)
        elif event.kind == STEP:
            return self._recorded(state, said["step"])
        elif event.kind == REJECTED:
            self.refused[said["number"]] = said["step"]
        elif event.kind in (CORRECTED, WITHDRAWN):
            self.revisions.append(said)
        elif event.kind == REVISED:
            return self._revised(state, said)
        elif event.kind == BLOCK_ENDED:
            self.steps.expect(recorded=state.step, outstanding=0)
            self.conclusion = self.steps.decide(state)
            self.steps.expect(recorded=state.step, outstanding=_ANSWER_MAY_COME)
        return state

    def _suggestions(self, state: BlockState, said: dict[str, Any]) -> None:
        """Designs chosen at one time, and the candidates and scores behind them."""
        made = said["suggestions"]
        self.designs |= {entry["number"]: entry["design"] for entry in made}
        chosen = self.steps.suggest(
            state, said["under_way"], said["refused"], size=len(made), number=made[0]["number"]
        ).choices
        for place, entry in enumerate(made):
            replayed = self._choice(chosen, place)
            self.report.decisions += 1
            self.report.decisions_alike += replayed is not None and replayed["design"] == entry["design"]
            if self.same_kind:
                recorded = {"design": entry["design"], "candidates": entry["candidates"], "known": entry["known"]}
                wanted = replayed and {**replayed, "known": state.step}
                for field, one, other in different(recorded, wanted, f"suggestion {entry['number']}"):
                    self._differs(field, one, other, 0, state.step)

    def _choice(self, chosen: Sequence[Choice], place: int) -> dict[str, Any] | None:
        """A choice as the log says it; None where there was nothing to choose any more."""
        if place >= len(chosen):
            return None
        design = dict(self.model.space.to_names(chosen[place].designs[0]))
        candidates = json.loads(canonical(candidate_rows(self.model, chosen[place], 0)))
        return {"design": json.loads(canonical(design)), "candidates": digest(candidates)}

    def _recorded(self, state: BlockState, step: int) -> BlockState:
        """One step: an experiment made before, the answer to a suggestion, or an end without any."""
        recorded = self.by_step.get(step, [])
        if self.steps.gives(step):
            return self._step(state, step)
        if not recorded:
            return self._exhausted(state, step)
        (row,) = recorded
        number = self.became.get(step)
        entry = None if number is None else self.rows.get(number)
        if entry is None:
            self._differs("suggestion", "an experiment", None, 0, step)
        else:
            nothing = dict.fromkeys(self.model.outcome_names)
            self._said(entry.used or entry.design, row.design, "design", step)
            self._said(entry.outcome or nothing, row.outcome, "outcome", step)
        choice = self.steps.choice(row.design, [] if entry is None else entry.candidates)
        if not self.told and (entry is None or entry.failure is None):
            self._performed(state, choice, row.outcome, step)
        self.report.told += self.told
        done = self.steps.answered(
            state, choice, outcome_tensor(self.model, [row.outcome]), seconds=0.0, outstanding=_ANSWER_MAY_COME
        )
        self._compare(row, experiments_of(self.steps, done)[0], step)
        return done

    def _said(self, said: Any, recorded: Any, name: str, step: int) -> None:
        for field, one, other in different(recorded, said, name):
            self._differs(field, one, other, 0, step)

    def _performed(self, state: BlockState, choice: Choice, outcome: dict[str, Any], step: int) -> None:
        """What the laboratory gives at the recorded design."""
        values = self.genuine.perform(choice.designs, state.belief.history)
        replayed = json.loads(canonical(outcome_row(self.model, values[0])))
        compare = different if self.same_kind else far_numbers
        for field, one, other in compare(outcome, replayed, "outcome"):
            self._differs(field, one, other, 0, step)

    def _exhausted(self, state: BlockState, step: int) -> BlockState:
        """A run to which nothing was worth doing: the step without an experiment that ended it."""
        refused = [self.designs[number] for number, at in self.refused.items() if at == step]
        more = self.steps.suggest(state, [], refused, size=1, number=len(self.designs)).choices
        if more and self.same_kind:
            self._differs("end of the run", "nothing is worth doing", "a suggestion", 0, step)
        model = self.model
        nothing = torch.full((1, len(model.outcome_names)), torch.nan, dtype=torch.float64)
        belief = self.steps.absorb(state.belief, model.space.cheapest[None], nothing)
        everybody = torch.ones_like(state.performed)
        return replace(state, belief=belief, ended=end(state.ended, everybody, Ended.EXHAUSTED), performed=~everybody)

    def _revised(self, state: BlockState, said: dict[str, Any]) -> BlockState:
        """The belief after a revision, folded over the experiments as they hold since."""
        place, step = said["revision"], state.step
        self.applied.add(place)
        self.steps.expect(recorded=step, outstanding=_ANSWER_MAY_COME)
        state = refold(self.steps, 1, self._effective(), step)
        self.report.revisions += 1
        (replayed,) = belief_rows(self.model, state.belief)
        recorded = self.found.revised.get(place)
        if recorded is None:
            self._differs(f"revision {place}", None, "a belief", 0, step)
            return state
        for field, one, other in self._values("belief", recorded, json.loads(canonical(replayed)), max(0, step - 1)):
            self._differs(f"revision {place}: {field}", one, other, 0, step)
        if said["cost"] != state.spent[0].item():
            self._differs(f"revision {place}: cost", said["cost"], state.spent[0].item(), 0, step)
        return state

    def _effective(self) -> list[StepRow]:
        """The experiments as they hold after the revisions applied so far."""
        held = {
            row.step: StepRow(row.step, row.row, row.design, row.outcome, row.cost, row.given)
            for row in self.found.experiments
        }
        for place in sorted(self.applied):
            said = self.revisions[place]
            step = self.steps_of[said["number"]]
            held[step] = replace(held[step], design=said["design"], outcome=said["outcome"])
        return [held[step] for step in sorted(held)]
