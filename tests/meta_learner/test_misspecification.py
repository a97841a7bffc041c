"""Laws that hold seldom raise the alarm; what is wrong by construction raises it; the evaluation counts both."""

import json
import math
from pathlib import Path

import pytest
import torch
import typer
from scipy import stats
from typer.testing import CliRunner

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation.misspecification import Plan, interval, investigate, row, totals
from meta_learner.evaluation.misspecified import cases, constructed
from meta_learner.laboratory import Simulation
from meta_learner.misfit import misfit
from meta_learner.policies.random import Random
from meta_learner.rollout import BlockSteps, rollout
from orchestrator.cli.benchmark_misspecification import misspecification
from tests.benchmarks.page import page

QUICK = Plan(runs=6, policy="random", particles=200)


@pytest.mark.statistical
def test_laws_that_hold_are_seldom_accused() -> None:
    """120 runs of three domains (normal, counts, exact beliefs over 543 graphs), 8 experiments each: fails by chance at
    5 % with a probability below 1e-4; a rate of 20 % is seen with a probability above 95 %."""
    alarms = 0
    for name in ("pendulum-damping", "memory-decay", "structural-causal"):
        model = DomainModel(find(name))
        laboratory = Simulation(model, seed=7, block=0, runs=40)
        steps = BlockSteps(
            model, Random(), laboratory, budget=8, seed=7, block=0, settings=BeliefSettings(particles=500)
        )  # fmt: skip
        for state in rollout(steps, 40):
            assert state.belief.criticism.log_evidence.isfinite().all()
        alarms += int(state.belief.surprised.sum())
    assert alarms <= stats.binom.isf(1e-4, 120, 0.05)


def test_a_law_left_out_and_who_knows_it() -> None:
    kept, linear, *_ = cases("pendulum-damping")
    assert [law.name for law in linear.believed.mechanisms] == ["quadratic", "coulomb"]
    assert [law.name for law in linear.truth.mechanisms] == ["linear"]
    found = investigate(linear, QUICK)
    assert found.peak.shape == (6,)
    assert found.oracle.median() > math.log(20)
    line = row(linear, found)
    assert line["misspecified"]
    assert row(kept, investigate(kept, QUICK))["median log odds of the true law"] is None
    (total,) = totals([line])
    assert total["case"] == "all laws left out"
    assert total["noticed"] == line["noticed"]


def test_mixed_up_samples_are_noticed_and_told() -> None:
    """One outcome in ten is another world's: the alarm in two of six runs at least (3 % by chance), and its place."""
    case = next(case for case in constructed() if case.mixed_up)
    settings = BeliefSettings(particles=300)
    steps = BlockSteps(case.believed, Random(), case.laboratory(3, 0, 6), budget=20, seed=3, block=0, settings=settings)
    *_, state = rollout(steps, 6)
    assert state.belief.surprised.sum() >= 2
    for run in state.belief.criticism.alarm.nonzero()[:, 0].tolist():
        found = misfit(case.believed, state.belief, run)
        json.dumps(found, allow_nan=False)
        assert found["outcome"] == "effect"
        sizes = [abs(place["residual"]) for place in found["where"]]
        assert sizes == sorted(sizes, reverse=True)


def test_twice_the_noise_is_in_the_truth_alone() -> None:
    case = next(iter(constructed()))
    designs = case.truth.space.cheapest
    parameters = {name: torch.tensor(1.0).double() for name in case.truth.mechanisms[0].names}
    believed, truth = (
        model.mechanisms[0].outcome_arguments(parameters, designs)[0][1] for model in (case.believed, case.truth)
    )
    assert truth.item() == pytest.approx(2 * believed.item())


@pytest.mark.parametrize(("hits", "runs"), [(0, 20), (7, 20), (20, 20)])
def test_wilson_interval(hits: int, runs: int) -> None:
    exact = stats.binomtest(hits, runs).proportion_ci(0.95, method="wilson")
    assert interval(hits, runs) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_the_command_writes_a_table(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(misspecification)
    out = tmp_path / "table.json"
    words = ["pendulum-damping", "--runs", "2", "--policy", "random", "--no-constructed", "--json", "--out", str(out)]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)
    assert report == json.loads(out.read_text(encoding="utf-8"))
    assert report["kind"] == "misspecification"
    assert [line[1] for line in report["rows"]][:2] == ["none left out", "linear left out"]
    assert all(len(line) == len(report["columns"]) for line in report["rows"])
    assert "## Misspecified runs noticed" in page(tmp_path)
