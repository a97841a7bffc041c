"""From a step of a block to rows of the record, and back: the belief as a fold over recorded experiments."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

import torch
from langchain_core.callbacks import BaseCallbackHandler
from torch import Tensor

from domains.simulators import Marginal
from domains.worlds import DomainModel
from experiments_db.record import NewExperiment
from meta_learner.belief import Belief
from meta_learner.goals import Answer, score
from meta_learner.laboratory import Laboratory, information
from meta_learner.misfit import misfit
from meta_learner.policies.base import Choice
from meta_learner.rollout import BlockState, BlockSteps
from meta_learner.stopping import Ended, end
from meta_learner.summary import by_probability, marginals

_SHOWN = 12  # mechanisms whose parameters are recorded with every step


class RecordedExperiment(Protocol):
    """What the record knows of one experiment of a block; ``row`` is its run's offset within the block."""

    @property
    def step(self) -> int: ...
    @property
    def row(self) -> int: ...
    @property
    def design(self) -> dict[str, Any]: ...
    @property
    def outcome(self) -> dict[str, Any]: ...


class StepRecorder(BaseCallbackHandler):
    """A callback that hands every finished turn of the loop to ``write``; an error there stops the loop."""

    raise_error = True

    def __init__(self, write: "StepWriter") -> None:
        self._write = write

    def on_chain_end(self, outputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        """Called after every step; the turn as a whole is the one without a parent."""
        del run_id, kwargs
        if parent_run_id is None and isinstance(outputs, BlockState):
            self._write(outputs)


class StepWriter(Protocol):
    def __call__(self, state: BlockState) -> None: ...


def experiments_of(steps: BlockSteps, state: BlockState) -> list[NewExperiment]:
    """The rows of the last step, one for each run that took part."""
    model, laboratory = steps.model, steps.laboratory
    assert state.choice is not None
    assert state.outcomes is not None
    assert state.cost is not None
    assert state.log_predictive is not None
    performed = state.performed.nonzero()[:, 0].tolist()
    given = steps.gives(state.step - 1)
    gained: Tensor | None = None
    if laboratory.worlds is not None and not given:
        gained = information(model, laboratory.worlds, state.choice.designs, state.outcomes, state.log_predictive)
    beliefs = belief_rows(model, state.belief)
    answers = answer_rows(model, laboratory, steps.answer(state), len(beliefs))
    decision_ms = 1000.0 * state.seconds / max(1, len(performed))
    return [
        NewExperiment(
            row=row,
            design=dict(model.space.to_names(state.choice.designs[row])),
            outcome=outcome_row(model, state.outcomes[row]),
            cost=state.cost[row].item(),
            information=None if gained is None else _number(gained[row].item()),
            decision_ms=decision_ms,
            belief={**beliefs[row], **answers[row]},
            candidates=candidate_rows(model, state.choice, row),
            given=given,
        )
        for row in performed
    ]


def belief_rows(model: DomainModel, belief: Belief) -> list[dict[str, Any]]:
    """Per run: mechanism probabilities, the mechanisms' parameters, and the diagnostics, as plain data.

    ``parameters`` are those of the most probable mechanism; ``mechanisms`` has them for the ``_SHOWN`` most probable.
    """
    probability = belief.log_probability.exp()
    names = [mechanism.name for mechanism in model.mechanisms]
    order = by_probability(belief)
    best = order[:, 0].tolist()
    leading = order[:, :_SHOWN].sort(dim=-1).values.tolist()
    tables = {law: _per_run(marginals(model, belief, law), len(best)) for law in {i for row in leading for i in row}}
    return [
        {
            "mechanism_probability": dict(zip(names, probability[run].tolist(), strict=True)),
            "most_probable": names[index],
            "parameters": tables[index][run],
            "mechanisms": {names[law]: tables[law][run] for law in leading[run]},
            "diagnostics": _diagnostics(model, belief, run, leading[run]),
        }
        for run, index in enumerate(best)
    ]


def _diagnostics(model: DomainModel, belief: Belief, run: int, laws: list[int]) -> dict[str, Any]:
    health = belief.diagnostics
    names = [mechanism.name for mechanism in model.mechanisms]
    return {
        "trusted": bool(belief.trusted[run]),
        "explained": bool(belief.explained[run]),
        "surprised": bool(belief.surprised[run]),
        **{
            kind: {names[law]: values[run, law].item() for law in laws}
            for kind, values in (
                ("effective", health.effective),
                ("acceptance", health.acceptance),
                ("distinct", health.distinct),
            )
        },
        "lost": [name for name, lost in zip(names, health.lost[run].tolist(), strict=True) if lost],
        "tail": dict(zip(model.outcome_names, health.tail[run].tolist(), strict=True)),
        "misfit": misfit(model, belief, run),
    }


def answer_rows(model: DomainModel, laboratory: Laboratory, given: Answer, runs: int) -> list[dict[str, Any]]:
    """Per run: recommendation or prediction, and its score where the truth is known; nothing where no goal asks."""
    rows: list[dict[str, Any]] = [{} for _ in range(runs)]
    if given.recommendation is not None:
        for row, design in zip(rows, given.recommendation, strict=True):
            row["recommendation"] = model.space.to_names(design)
    for key, predicted in (("prediction", given.prediction), ("prediction_sd", given.prediction_sd)):
        if predicted is not None:
            for row, values in zip(rows, predicted.tolist(), strict=True):
                row[key] = _finite(dict(zip(model.domain.prediction_names, values, strict=True)))
    scores = None if laboratory.worlds is None else score(model, laboratory.worlds, given)
    if scores is not None:
        for row, value in zip(rows, scores.tolist(), strict=True):
            row["goal_score"] = _number(value)
    return rows


def refold(
    steps: BlockSteps, runs: int, history: Sequence[RecordedExperiment], recorded: int | None = None
) -> BlockState:
    """The state after the recorded experiments: ``update`` folded over them, from the first.

    recorded: how many steps there were, where the last may have had no experiment. In the middle of a batch, what is
    pending is chosen again, from the state that it was chosen from.
    """
    state = opening = steps.begin(runs)
    by_step: dict[int, list[RecordedExperiment]] = {}
    for experiment in history:
        by_step.setdefault(experiment.step, []).append(experiment)
    for step in range(max(by_step, default=-1) + 1 if recorded is None else recorded):
        opening = state if steps.begins_batch(step) else opening
        state = refold_step(steps, state, by_step.get(step, []))
    if steps.begins_batch(state.step) or steps.gives(state.step) or not bool(state.active.any()):
        return state
    chosen = steps.design(steps.hypothesise(opening))
    return replace(state, pending=chosen.pending[state.step - opening.step - 1 :])


def refold_step(steps: BlockSteps, state: BlockState, rows: Sequence[RecordedExperiment]) -> BlockState:
    """One recorded step. Runs that went on and yet have no row ended when it was chosen: nothing was worth doing."""
    took_part, designs, outcomes = recorded_tensors(steps.model, len(state.spent), rows)
    belief = steps.absorb(state.belief, designs, outcomes)
    free = steps.gives(state.step)
    cost = torch.zeros_like(state.spent) if free else torch.where(took_part, steps.model.space.cost(designs), 0.0)
    ended = end(state.ended, ~took_part, Ended.EXHAUSTED)
    done = replace(state, belief=belief, spent=state.spent + cost, ended=ended)
    return steps.judge(done, between=steps.begins_batch(done.step))


def recorded_tensors(
    model: DomainModel, runs: int, rows: Sequence[RecordedExperiment]
) -> tuple[Tensor, Tensor, Tensor]:
    """Who took part in one step: boolean [runs]; designs [runs, columns]; outcomes [runs, outcomes].

    Runs without a row had ended: any design will do, with a missing outcome.
    """
    designs = model.space.cheapest.expand(runs, -1).clone()
    outcomes = torch.full((runs, len(model.outcome_names)), torch.nan, dtype=torch.float64)
    took_part = torch.zeros(runs, dtype=torch.bool)
    for row in rows:
        designs[row.row] = model.space.from_names(row.design)
        outcomes[row.row] = outcome_tensor(model, [row.outcome])[0]
        took_part[row.row] = True
    return took_part, designs, outcomes


def _per_run(law: Mapping[str, Marginal], runs: int) -> list[dict[str, dict[str, float | None]]]:
    columns = {
        name: list(zip(m.mean.tolist(), m.sd.tolist(), m.low90.tolist(), m.high90.tolist(), strict=True))
        for name, m in law.items()
    }
    keys = ("mean", "sd", "low90", "high90")
    return [
        {name: _finite(dict(zip(keys, values[run], strict=True))) for name, values in columns.items()}
        for run in range(runs)
    ]


def candidate_rows(model: DomainModel, choice: Choice, row: int) -> list[dict[str, Any]]:
    """The leading candidates of one run's choice with their scores, best first, as plain data."""
    scores = choice.scores[row].tolist()
    return [
        {"design": model.space.to_names(design), "score": score}
        for design, score in zip(choice.leading[row], scores, strict=True)
        if math.isfinite(score)
    ]


def outcome_row(model: DomainModel, values: Tensor) -> dict[str, float | None]:
    """One outcome [outcomes] by name; None: missing."""
    return _finite(dict(zip(model.outcome_names, values.tolist(), strict=True)))


def outcome_tensor(model: DomainModel, rows: Sequence[Mapping[str, float | None]]) -> Tensor:
    """Outcomes by name as [rows, outcomes]; NaN: missing."""
    values = [[math.nan if row[name] is None else row[name] for name in model.outcome_names] for row in rows]
    return torch.tensor(values, dtype=torch.float64)


def _finite(values: dict[str, float]) -> dict[str, float | None]:
    return {name: _number(value) for name, value in values.items()}


def _number(value: float) -> float | None:
    """JSON has no NaN and no infinity: a missing or unbounded value is null."""
    return value if math.isfinite(value) else None
