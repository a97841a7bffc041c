"""The belief is a fold over recorded experiments: rows of the record, read back from JSON, give the same bits."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from domains.loading import find
from domains.worlds import DomainModel
from experiments_db.queries import StepRow
from meta_learner.belief import Belief
from meta_learner.rollout import BlockState, BlockSteps, rollout
from orchestrator.cache import BeliefCache
from orchestrator.recording import belief_rows, experiments_of, refold

MakeSteps = Callable[..., BlockSteps]


@dataclass(frozen=True)
class Recorded:
    """A state of a block as it was, and all rows recorded up to it, through JSON."""

    state: BlockState
    rows: list[StepRow]


def play(steps: BlockSteps, runs: int) -> Iterator[Recorded]:
    rows: list[StepRow] = []
    for state in rollout(steps, runs):
        for new in experiments_of(steps, state):
            design, outcome, cost = json.loads(json.dumps([new.design, new.outcome, new.cost], allow_nan=False))
            rows.append(StepRow(state.step - 1, new.row, design, outcome, cost))
        yield Recorded(state, list(rows))


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one.nan_to_num(nan=1e300), other.nan_to_num(nan=1e300))


def assert_same_belief(one: Belief, other: Belief) -> None:
    """The same bits in all that is believed, and in the history of the runs that took part."""
    for index, (mine, yours) in enumerate(zip(one.populations, other.populations, strict=True)):
        for field in fields(mine):
            assert same(getattr(mine, field.name), getattr(yours, field.name)), f"{field.name} of mechanism {index}"
    for field in fields(one.diagnostics):
        assert same(getattr(one.diagnostics, field.name), getattr(other.diagnostics, field.name)), field.name
    for field in fields(one.criticism):
        assert same(getattr(one.criticism, field.name), getattr(other.criticism, field.name)), field.name
    assert same(one.history.outcomes, other.history.outcomes)
    took_part = ~one.history.outcomes.isnan().all(-1)
    assert same(one.history.designs[took_part], other.history.designs[took_part])


@pytest.mark.parametrize("laboratory", ["simulate", "replay:bench"])
def test_refolding_the_record_gives_the_same_bits(
    costly_model: DomainModel, make_steps: MakeSteps, laboratory: str
) -> None:
    for recorded in play(make_steps(costly_model, laboratory, runs=6), 6):
        again = refold(make_steps(costly_model, laboratory, runs=6), 6, recorded.rows)
        assert_same_belief(recorded.state.belief, again.belief)
        assert torch.equal(recorded.state.spent, again.spent)
        assert torch.equal(recorded.state.active, again.active)
    experiments = Counter(row.row for row in recorded.rows)
    assert len(set(experiments.values())) > 1, "the runs of this block were to end at different steps"


def test_a_refolded_block_goes_on_as_the_live_one(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    history = list(play(make_steps(costly_model, runs=4), 4))
    steps = make_steps(costly_model, runs=4)
    state = refold(steps, 4, history[1].rows)
    for live in history[2:]:
        state = steps.decide(steps.update(steps.experiment(steps.design(steps.hypothesise(state)))))
        assert_same_belief(live.state.belief, state.belief)
        assert torch.equal(live.state.spent, state.spent)
    assert not bool(state.active.any())


def test_an_exact_belief_is_refolded_and_cached_too(make_steps: MakeSteps, tmp_path: Path) -> None:
    model = DomainModel(find("structural-causal"))
    *_, last = islice(play(make_steps(model, runs=2, policy="random"), 2), 3)
    steps = make_steps(model, runs=2, policy="random")
    cache = BeliefCache(tmp_path, 1, "key")
    cache.save(last.state)
    for other in (refold(steps, 2, last.rows), cache.load(3)):
        assert other is not None
        assert_same_belief(last.state.belief, other.belief)
        assert last.state.belief.posterior is not None
        assert other.belief.posterior is not None
        assert same(last.state.belief.posterior.statistics, other.belief.posterior.statistics)
        assert same(last.state.belief.log_probability, other.belief.log_probability)
    row = belief_rows(model, last.state.belief)[0]
    assert len(row["mechanism_probability"]) == 543
    assert len(row["mechanisms"]) == 12  # no more are worth their space
    assert row["most_probable"] in row["mechanisms"]
    json.dumps(row, allow_nan=False)


def test_an_empty_record_is_the_prior(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    steps = make_steps(costly_model)
    assert_same_belief(refold(steps, 3, []).belief, steps.begin(3).belief)


def test_a_run_that_ended_keeps_its_belief(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    """What its finding is drawn from at the end of the block is what its last experiment recorded."""
    steps, last = make_steps(costly_model, runs=4), {}
    for recorded in play(steps, 4):
        for new in experiments_of(steps, recorded.state):
            last[new.row] = new.belief
    final = belief_rows(costly_model, recorded.state.belief)
    for row, belief in last.items():
        assert final[row]["most_probable"] == belief["most_probable"]
        assert final[row]["diagnostics"]["trusted"] == belief["diagnostics"]["trusted"]
        for name, value in belief["mechanism_probability"].items():
            assert final[row]["mechanism_probability"][name] == pytest.approx(value, rel=1e-12)
        for name, summary in belief["parameters"].items():
            assert final[row]["parameters"][name] == pytest.approx(summary, rel=1e-9)


def test_a_step_as_rows(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    steps = make_steps(costly_model, runs=4, policy="expected-information-gain")
    for recorded in play(steps, 4):
        state = recorded.state
        rows = experiments_of(steps, state)
        assert [row.row for row in rows] == state.performed.nonzero()[:, 0].tolist()
        for row in rows:
            assert row.cost == state.cost[row.row].item()  # type: ignore[index]
            assert row.cost == pytest.approx(row.design["time"] + (2 if row.design["method"] == "careful" else 0))
            assert row.decision_ms == pytest.approx(1000 * state.seconds / len(rows))
            assert row.information is not None
            scores = [candidate["score"] for candidate in row.candidates]
            assert scores == sorted(scores, reverse=True) != []
            assert row.candidates[0]["design"] == row.design


def test_a_replay_records_no_information(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    steps = make_steps(costly_model, "replay:bench")
    state = next(iter(rollout(steps, 3)))
    assert {row.information for row in experiments_of(steps, state)} == {None}


def test_belief_rows(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    *_, last = play(make_steps(costly_model), 3)
    rows = belief_rows(costly_model, last.state.belief)
    json.dumps(rows, allow_nan=False)
    for run, row in enumerate(rows):
        weights = row["mechanism_probability"]
        assert sum(weights.values()) == pytest.approx(1)
        assert row["most_probable"] == max(weights, key=weights.__getitem__)
        assert row["parameters"] == row["mechanisms"][row["most_probable"]]
        assert set(row["mechanisms"]["exponential"]) == {"rate"}
        assert set(row["mechanisms"]["linear"]) == {"rate", "start"}
        for summary in row["mechanisms"]["linear"].values():
            assert summary["low90"] < summary["mean"] < summary["high90"]
            assert summary["sd"] > 0
        _check_diagnostics(row["diagnostics"], last.state.belief, run)


def _check_diagnostics(found: dict[str, Any], belief: Belief, run: int) -> None:
    told = {"trusted", "explained", "surprised", "effective", "acceptance", "distinct", "lost", "tail", "misfit"}
    assert set(found) == told
    assert found["misfit"]["peak"] == belief.criticism.peak[run].item()
    assert found["explained"] is True
    assert found["effective"]["linear"] == belief.diagnostics.effective[run, 1].item()
    assert set(found["tail"]) == {"amount"}


class TestBeliefCache:
    @pytest.fixture
    def state(self, costly_model: DomainModel, make_steps: MakeSteps) -> BlockState:
        return list(rollout(make_steps(costly_model, runs=4), 4))[1]

    def test_gives_back_the_same_bits(self, state: BlockState, tmp_path: Path) -> None:
        cache = BeliefCache(tmp_path, 3, "key")
        cache.save(state)
        loaded = BeliefCache(tmp_path, 3, "key").load(2)
        assert loaded is not None
        assert_same_belief(state.belief, loaded.belief)
        assert torch.equal(state.belief.log_prior, loaded.belief.log_prior)
        assert torch.equal(state.belief.history.designs, loaded.belief.history.designs)
        assert torch.equal(state.spent, loaded.spent)
        assert torch.equal(state.active, loaded.active)
        assert loaded.step == 2

    def test_goes_on_as_the_live_state(
        self, state: BlockState, tmp_path: Path, costly_model: DomainModel, make_steps: MakeSteps
    ) -> None:
        cache = BeliefCache(tmp_path, 3, "key")
        cache.save(state)
        ends = []
        for start in (state, cache.load(2)):
            assert start is not None
            steps = make_steps(costly_model, runs=4)
            ends.append(steps.update(steps.experiment(steps.design(steps.hypothesise(start)))))
        assert_same_belief(ends[0].belief, ends[1].belief)

    @pytest.mark.parametrize(("block", "key", "step"), [(3, "other", 2), (3, "key", 1), (3, "key", 3), (4, "key", 2)])
    def test_what_was_not_asked_for_is_not_given(
        self, state: BlockState, tmp_path: Path, block: int, key: str, step: int
    ) -> None:
        BeliefCache(tmp_path, 3, "key").save(state)
        assert BeliefCache(tmp_path, block, key).load(step) is None

    @pytest.mark.parametrize("keep", [0, 1, 7, 100, -1])
    def test_a_damaged_file_is_no_belief(self, state: BlockState, tmp_path: Path, keep: int) -> None:
        cache = BeliefCache(tmp_path, 3, "key")
        cache.save(state)
        (file,) = (tmp_path / "cache" / "beliefs").iterdir()
        file.write_bytes(file.read_bytes()[:keep])
        assert cache.load(2) is None

    def test_dropping_forgets_and_may_be_done_twice(self, state: BlockState, tmp_path: Path) -> None:
        cache = BeliefCache(tmp_path, 3, "key")
        cache.save(state)
        cache.drop()
        cache.drop()
        assert cache.load(2) is None
        assert list((tmp_path / "cache" / "beliefs").iterdir()) == []

    def test_a_disk_that_cannot_be_written_costs_the_cache_only(self, state: BlockState, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file where the folder should be")
        cache = BeliefCache(tmp_path, 3, "key")
        cache.save(state)
        assert cache.load(2) is None
