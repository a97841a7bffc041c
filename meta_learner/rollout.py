"""One step of a block of runs, and the rollout of many: hypothesise → design → experiment → update → decide.

Meta-training's rollout and a campaign's loop take the same step; a test proves that they give the same bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter

import torch
from torch import Tensor

from domains.worlds import DomainModel
from meta_learner.batches import choose_batch
from meta_learner.belief import Belief, BeliefSettings, History, prior_belief
from meta_learner.given import Given
from meta_learner.goals import Answer, answer
from meta_learner.hypotheses import Hypotheses, draw_hypotheses
from meta_learner.laboratory import Laboratory
from meta_learner.policies.base import Choice, DesignProblem, Policy, unscored
from meta_learner.smc import update
from meta_learner.stopping import Ended, StoppingRules, end
from meta_learner.streams import Purpose, stream


@dataclass(frozen=True)
class BlockState:
    """A block of runs between two steps, and what the last step did.

    spent [runs]: cost so far; ended [runs]: an ``Ended`` each; performed [runs]: who took part in the last step;
    choice: of the last experiment; pending: of those of its batch that are still to come;
    log_predictive [runs]: log p(y | belief before) of the last outcome, nats; seconds: time of the last decision.
    """

    belief: Belief
    spent: Tensor
    ended: Tensor
    performed: Tensor
    hypotheses: Hypotheses | None = None
    choice: Choice | None = None
    pending: tuple[Choice, ...] = ()
    outcomes: Tensor | None = None
    cost: Tensor | None = None
    log_predictive: Tensor | None = None
    seconds: float = 0.0

    @property
    def step(self) -> int:
        """How many experiments each run has had its turn for."""
        return self.belief.history.steps

    @property
    def active(self) -> Tensor:
        """Who still experiments: boolean [runs]."""
        return self.ended == Ended.NOT_YET


class BlockSteps:
    """The five steps for one block: a domain, a policy, a laboratory, a budget and a seed.

    given: experiments made before. The first steps take their designs and outcomes instead of asking policy and
    laboratory; they cost nothing, for they were paid for. stop: what else than the budget ends a run. batch: how many
    experiments are chosen at a time; a batch that has begun is run to its end, as far as the budget goes.
    """

    def __init__(  # noqa: PLR0913  (what fixes the runs of a block)
        self,
        model: DomainModel,
        policy: Policy,
        laboratory: Laboratory,
        *,
        budget: float,
        seed: int,
        block: int,
        settings: BeliefSettings | None = None,
        given: Given | None = None,
        stop: StoppingRules | None = None,
        batch: int = 1,
    ) -> None:
        self.model, self.policy, self.laboratory = model, policy, laboratory
        self.budget, self.seed, self.block = budget, seed, block
        self.given, self.stop, self.batch = given, stop or StoppingRules(), batch
        self.settings = settings or BeliefSettings()

    def begin(self, runs: int) -> BlockState:
        """The state before any experiment."""
        belief = prior_belief(self.model, runs, self.settings, self._stream(0, "prior"))
        spent = torch.zeros(runs, dtype=torch.float64)
        nobody = torch.zeros(runs, dtype=torch.bool)
        return self.decide(BlockState(belief, spent, ended=nobody.to(torch.int64), performed=nobody))

    @property
    def given_rows(self) -> int:
        """How many experiments were made before."""
        return 0 if self.given is None else self.given.rows

    def gives(self, step: int) -> bool:
        """Whether a step's experiment was made before."""
        return step < self.given_rows

    def hypothesise(self, state: BlockState) -> BlockState:
        """Which hypotheses are still worth considering; none where there is nothing to choose."""
        if self.gives(state.step) or state.pending:
            return replace(state, hypotheses=None, seconds=0.0)
        started = perf_counter()
        generator = self._stream(state.step, "hypothesise")
        rows = draw_hypotheses(self.model, state.belief, self.policy.hypotheses, generator)
        return replace(state, hypotheses=rows, seconds=perf_counter() - started)

    def design(self, state: BlockState) -> BlockState:
        """What to do next, from the batch at hand or a new one. Where nothing is worth its cost, a run ends."""
        given = self._given(state)
        if given is not None:
            return replace(state, choice=unscored(given.designs))
        if state.pending:
            return replace(state, choice=state.pending[0], pending=state.pending[1:])
        started = perf_counter()
        choice, *pending = self._choose(state)
        ended = end(state.ended, self.stop.exhausted(choice), Ended.EXHAUSTED)
        seconds = state.seconds + perf_counter() - started
        return replace(state, choice=choice, pending=tuple(pending), ended=ended, seconds=seconds)

    def experiment(self, state: BlockState) -> BlockState:
        """Have it run. Runs that have ended take no part: their outcome is missing and costs nothing."""
        assert state.choice is not None
        given = self._given(state)
        if given is not None:
            return replace(state, outcomes=given.outcomes, cost=torch.zeros_like(state.spent), performed=state.active)
        outcomes = self.laboratory.perform(state.choice.designs, state.belief.history)
        outcomes = torch.where(state.active[:, None], outcomes, torch.nan)
        cost = torch.where(state.active, self.model.space.cost(state.choice.designs), 0.0)
        return replace(state, outcomes=outcomes, cost=cost, performed=state.active)

    def update(self, state: BlockState) -> BlockState:
        """What the outcome says about the hypotheses."""
        assert state.choice is not None
        assert state.outcomes is not None
        assert state.cost is not None
        belief = self.absorb(state.belief, state.choice.designs, state.outcomes)
        log_predictive = belief.log_evidence - state.belief.log_evidence
        return replace(state, belief=belief, spent=state.spent + state.cost, log_predictive=log_predictive)

    def absorb(self, belief: Belief, designs: Tensor, outcomes: Tensor) -> Belief:
        """The fold behind every belief: one recorded experiment a run into a belief."""
        generator = self._stream(belief.history.steps, "update")
        return update(self.model, belief, designs, outcomes, settings=self.settings, generator=generator)

    def decide(self, state: BlockState) -> BlockState:
        """Whether each run goes on: while one of the given experiments is left, then until its question is answered or
        the budget pays for no more."""
        return self.judge(state, between=not state.pending)

    def judge(self, state: BlockState, *, between: bool) -> BlockState:
        """``decide``, told whether this is between two batches: precision is looked at when a batch is complete."""
        if self.gives(state.step):
            return state
        ended, spent_up = state.ended, ~self.affords(state)
        if between or bool(spent_up.any()):
            reached = self.stop.answered(self.model, state.belief) & (spent_up | between)
            ended = end(ended, reached, Ended.ANSWERED)
        return replace(state, ended=end(ended, spent_up, Ended.BUDGET))

    def affords(self, state: BlockState) -> Tensor:
        """Where an experiment that exists still fits what is left of the budget [runs]."""
        return self._affords(state.belief.history, state.spent)

    def begins_batch(self, step: int) -> bool:
        """Whether a step's experiment is the first of a batch."""
        return step >= self.given_rows and (step - self.given_rows) % self.batch == 0

    def turn(self, state: BlockState) -> BlockState:
        """All five, once."""
        return self.decide(self.update(self.experiment(self.design(self.hypothesise(state)))))

    def answer(self, state: BlockState) -> Answer:
        """What the agent would answer now, where the goal asks for a design or for predictions."""
        return answer(self.model, state.belief, self._stream(state.step, "answer"))

    def _choose(self, state: BlockState) -> tuple[Choice, ...]:
        """The designs of a new batch."""
        return choose_batch(
            self.model,
            state.belief.history,
            state.spent,
            size=self.batch,
            choose=lambda history, spent: self.policy.choose(self._problem(state, history, spent)),
            affords=lambda history, spent: bool((self._affords(history, spent) & state.active).any()),
        )

    def _problem(self, state: BlockState, history: History, spent: Tensor, *, passed: int = 0) -> DesignProblem:
        """The decision after ``history``, which may run ahead of the belief by designs that are chosen already.

        passed: how many decisions came to no experiment, so that none takes the streams of another.
        """
        assert state.hypotheses is not None
        step = history.steps + passed
        return DesignProblem(
            model=self.model,
            belief=state.belief,
            hypotheses=state.hypotheses,
            remaining=self.budget - spent,
            step=step,
            pool=self.laboratory.pool(history),
            generator=self._stream(step, "design"),
            scoring=self._stream(step, "score").initial_seed(),
            sequence=self._stream(0, "sequence"),
            pending=history.designs[:, state.step :],
            certain=self.stop.probability,
        )

    def _affords(self, history: History, spent: Tensor) -> Tensor:
        remaining = self.budget - spent
        pool = self.laboratory.pool(history)
        if pool is None:
            return self.model.space.available(self.model.space.cheapest, remaining)
        return ((pool.left > 0) & self.model.space.available(pool.designs, remaining[:, None])).any(-1)

    def _given(self, state: BlockState) -> Given | None:
        """This step's experiment, a row a run, where it was made before."""
        if self.given is None or not self.gives(state.step):
            return None
        runs, row = len(state.spent), state.step
        return Given(self.given.designs[row].expand(runs, -1), self.given.outcomes[row].expand(runs, -1))

    def _stream(self, step: int, purpose: Purpose) -> torch.Generator:
        return stream(self.seed, self.block, step, purpose)


def rollout(steps: BlockSteps, runs: int) -> Iterator[BlockState]:
    """Investigate ``runs`` worlds until every run has ended; the state after every step."""
    state = steps.begin(runs)
    while bool(state.active.any()):
        state = steps.turn(state)
        yield state
