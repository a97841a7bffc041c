"""Stopping rules and batches in campaigns: the record alone gives them back, whoever died; how they are asked for."""

import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from domains.loading import find
from domains.worlds import DomainModel
from experiments_db import queries
from experiments_db.database import Database
from experiments_db.queries import StepRow
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockState, BlockSteps, rollout
from meta_learner.stopping import Ended, StoppingRules
from orchestrator import findings, services
from orchestrator.advance import advance
from orchestrator.cache import BeliefCache
from orchestrator.errors import RequestError
from orchestrator.loop import compose, investigate
from orchestrator.recording import StepRecorder, experiments_of, refold
from orchestrator.settings import Settings
from orchestrator.stopping import SCORING_POLICIES, conduct_in_words, read_widths

MakeSteps = Callable[..., BlockSteps]
RUNS = 5
# Ways to end: at a probability in batches; by information, some runs before others; by both and in batches of two.
CONDUCTS: dict[str, tuple[str, dict[str, Any]]] = {
    "answered, batches of 3": ("random", {"stop": StoppingRules(probability=0.8), "batch": 3}),
    "answered, no batches": ("sobol", {"stop": StoppingRules(probability=0.8, widths={"rate": 1.0})}),
    "exhausted": ("expected-information-gain", {"stop": StoppingRules(information=0.2)}),
    "all, batches of 2": (
        "expected-information-gain",
        {"stop": StoppingRules(0.95, {"rate": 0.8}, 0.12), "batch": 2},
    ),
}


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one.nan_to_num(nan=1e300), other.nan_to_num(nan=1e300))


def assert_same_state(one: BlockState, other: BlockState) -> None:
    assert same(one.spent, other.spent)
    assert same(one.ended, other.ended)
    assert same(one.belief.log_evidence, other.belief.log_evidence)
    for mine, yours in zip(one.belief.populations, other.belief.populations, strict=True):
        assert same(mine.z, yours.z)
        assert same(mine.log_weight, yours.log_weight)


def rows_of(steps: BlockSteps, state: BlockState) -> list[StepRow]:
    """The last step as the record has it, through JSON."""
    rows = []
    for new in experiments_of(steps, state):
        design, outcome = json.loads(json.dumps([new.design, new.outcome], allow_nan=False))
        rows.append(StepRow(state.step - 1, new.row, design, outcome, new.cost))
    return rows


@pytest.fixture(params=CONDUCTS)
def make(request: pytest.FixtureRequest, make_steps: MakeSteps, costly_model: DomainModel) -> Callable[[], BlockSteps]:
    policy, conduct = CONDUCTS[request.param]
    return lambda: make_steps(costly_model, runs=RUNS, policy=policy, **conduct)


def test_an_interruption_after_any_step_changes_no_bit(make: Callable[[], BlockSteps], tmp_path: Path) -> None:
    """Left by its worker after any step, a block goes on from its cache or its record as if nothing had been."""
    steps = make()
    states = [steps.begin(RUNS), *rollout(steps, RUNS)]
    rows: list[StepRow] = []
    for state, following in pairwise(states):
        if state.step > 0:
            rows += rows_of(steps, state)
        cache = BeliefCache(tmp_path, 1, "key")
        cache.save(state)
        cached, again = cache.load(state.step), refold(make(), RUNS, rows, state.step)
        for restored in (cached, again):
            assert restored is not None
            assert_same_state(state, restored)
            assert len(restored.pending) == (len(state.pending) if bool(state.active.any()) else 0)
            after = make().turn(restored)
            assert_same_state(following, after)
            assert following.choice is not None
            assert after.choice is not None
            took_part = following.performed
            assert same(following.choice.designs[took_part], after.choice.designs[took_part])
            assert same(following.choice.scores[took_part], after.choice.scores[took_part])
    rows += rows_of(steps, states[-1])
    ended = refold(make(), RUNS, rows, states[-1].step)
    assert_same_state(states[-1], ended)
    assert not bool(ended.active.any())


def test_the_loop_takes_the_same_steps(make: Callable[[], BlockSteps]) -> None:
    recorded: list[BlockState] = []
    steps = make()
    investigate(compose(steps), steps.begin(RUNS), [StepRecorder(recorded.append)], lambda: False)
    expected = list(rollout(make(), RUNS))
    assert len(recorded) == len(expected)
    for one, other in zip(recorded, expected, strict=True):
        assert_same_state(one, other)
        assert same(one.performed, other.performed)


def test_the_ways_to_end_occur(make_steps: MakeSteps, costly_model: DomainModel) -> None:
    """The campaigns of these tests end as their names say, not all by their budgets."""
    seen = {}
    for name, (policy, conduct) in CONDUCTS.items():
        *_, last = rollout(make_steps(costly_model, runs=RUNS, policy=policy, **conduct), RUNS)
        seen[name] = {Ended(code) for code in last.ended.tolist()}
    assert Ended.ANSWERED in seen["answered, batches of 3"]
    assert Ended.ANSWERED in seen["answered, no batches"]
    assert Ended.EXHAUSTED in seen["exhausted"]


def test_policies_that_score_are_those_named(make_steps: MakeSteps, costly_model: DomainModel) -> None:
    for name in (name for name, policy in POLICIES.items() if "learn" in policy().goals):
        state = next(rollout(make_steps(costly_model, policy=name), 3))
        assert state.choice is not None
        assert (state.choice.scores.shape[1] > 0) == (name in SCORING_POLICIES)


def carried_out(settings: Settings, database: Database, **values: Any) -> dict[str, Any]:
    """A small campaign of one block, created and advanced to its end."""
    request = services.campaign_request(**{"domain": "enzyme-kinetics", "particles": 100, **values})
    campaign = services.create_campaign(settings, database, request).id
    with database.read() as session:
        block = queries.campaign_runs(session, campaign)[0].block_id
    advance(database, settings, block)
    return services.campaign_status(database, campaign)


def test_a_campaign_in_which_nothing_is_worth_doing(settings: Settings, database: Database) -> None:
    """All runs end in one step without rows; the campaign finishes whole, at no cost."""
    status = carried_out(settings, database, runs=2, stop={"information": 1e6})
    assert status["status"] == "finished", status["message"]
    assert status["progress"] == {"share": 1.0, "runs_finished": 2, "experiments": 0, "cost": 0}
    assert status["finding"]["ended"] == {"exhausted": 2}
    assert status["finding"]["information"] == {"mean": 0.0, "standard_error": 0.0}
    assert "Why the runs ended: 2 since no experiment was worth its cost." in status["finding"]["text"]
    assert status["conduct"] == ["stops when no experiment is expected to tell 1e+06 nats per unit of cost"]


def test_a_worker_that_dies_between_the_empty_step_and_the_end(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step without rows is on record: whoever takes over ends the runs, and does not plan again."""
    from orchestrator import advance as advancing
    from orchestrator.owner import this_process

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(advancing._Advance, "_finish", die)
        with pytest.raises(KeyboardInterrupt):
            carried_out(settings, database, stop={"information": 1e6})
    with database.read() as session:
        (entry,) = queries.list_campaigns(session)
        block = queries.campaign_runs(session, entry.campaign.id)[0].block_id
        assert queries.get_block(session, block).step == 1
        assert queries.get_block(session, block).lease_owner == this_process()

    def plan(*arguments: object) -> None:
        raise AssertionError("nothing was left to plan")  # which would fail the campaign

    monkeypatch.setattr(BlockSteps, "design", plan)
    assert advance(database, settings, block) == "finished"
    assert services.campaign_status(database, entry.campaign.id)["finding"]["run"]["ended"] == "exhausted"


@pytest.mark.parametrize("keep_cache", [True, False])
def test_a_campaign_advanced_in_pieces_is_the_same(
    settings: Settings, database: Database, costly_file: Path, keep_cache: bool
) -> None:
    """Short tasks, with the saved beliefs or without, that end within batches: the same record to the last bit."""
    asked = {"domain": str(costly_file), "runs": 4, "budget": 6, "batch": 3, "seed": 4}
    asked["stop"] = {"probability": 0.9, "information": 0.05}
    histories = []
    for task_seconds in (60, 0.05):
        request = services.campaign_request(particles=100, **asked)
        campaign = services.create_campaign(settings, database, request).id
        with database.read() as session:
            block = queries.campaign_runs(session, campaign)[0].block_id
        tasks = 1
        while advance(database, settings.model_copy(update={"task_seconds": task_seconds}), block) == "again":
            tasks += 1
            if not keep_cache:
                shutil.rmtree(settings.folder / "cache")
        assert (tasks > 3) == (task_seconds < 1), "one was to be whole, the other in pieces"
        with database.read() as session:
            histories.append((queries.block_history(session, block), queries.findings(session, campaign)))
    (whole, found), (pieces, again) = histories
    assert whole == pieces
    assert [finding.content for finding in found] == [finding.content for finding in again]
    assert len({finding.content["ended"] for finding in found}) > 1


def test_a_campaign_says_how_it_was_conducted(settings: Settings, database: Database) -> None:
    status = carried_out(
        settings, database, policy="random", budget=5, batch=2, stop={"probability": 0.2, "widths": {"vmax": 1e9}}
    )
    assert status["conduct"] == [
        "batches of 2", "stops once a law is at least 0.2 probable and the 90 % interval of vmax is at most 1e+09 wide"
    ]  # fmt: skip
    run = status["finding"]["run"]
    assert (run["ended"], run["experiments"], status["progress"]["share"]) == ("answered", 0, 1.0)
    assert "It ended with the precision asked for: a law is at least 0.2 probable" in status["finding"]["text"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stop": {"probability": 1.0}}, r"--stop-probability 1\.0: .*less than 1"),
        ({"stop": {"probability": 0.0}}, r"--stop-probability 0\.0: .*greater than 0"),
        ({"stop": {"widths": {"km": 0}}}, r"--stop-width km=0: .*greater than 0"),
        ({"stop": {"widths": {"km": "narrow"}}}, r"--stop-width km=narrow: .*valid number"),
        ({"stop": {"information": -1.0}}, r"--stop-information -1\.0: .*greater than 0"),
        ({"stop": {"information": float("inf")}}, r"--stop-information inf: .*finite"),
        ({"batch": 0}, r"--batch 0: .*greater than or equal to 1"),
        ({"batch": 65}, r"--batch 65: .*less than or equal to 64"),
    ],
)
def test_values_that_are_out_of_range(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        services.campaign_request(domain="enzyme-kinetics", **values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stop": {"widths": {"vmx": 1}}}, "enzyme-kinetics has no parameter 'vmx'; did you mean 'vmax'"),
        ({"domain": "ces", "stop": {"widths": {"alpha": 1}}}, r"did you mean 'alpha\[.\]'"),
        ({"domain": "source-location", "stop": {"probability": 0.9}}, "has one law, whose probability is 1"),
        ({"policy": "sobol", "stop": {"information": 0.1}}, "the policy sobol scores no designs"),
    ],
)
def test_rules_that_do_not_fit(settings: Settings, values: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        services.check_campaign(settings, services.campaign_request(**{"domain": "enzyme-kinetics", **values}))


def test_one_entry_of_a_vector_may_be_named(settings: Settings) -> None:
    services.check_campaign(settings, services.campaign_request(domain="ces", stop={"widths": {"alpha[1]": 0.1}}))


def test_widths_as_they_are_written() -> None:
    assert read_widths([" km = 0.01", "alpha[0]=2"]) == {"km": "0.01", "alpha[0]": "2"}
    for texts, words in (
        [["km"], "write NAME=WIDTH"],
        [["=1"], "NAME=WIDTH"],
        [["a=1", "a=2"], "a has a width already"],
    ):
        with pytest.raises(RequestError, match=words):
            read_widths(texts)


def test_information_is_named_by_the_unit_of_the_goal() -> None:
    settings = {"batch": 1, "stop": {"probability": None, "widths": {}, "information": 0.05}}
    (line,) = conduct_in_words(settings, predicts=True)
    assert line.endswith("to tell 0.05 of the predictions' variance per unit of cost")
    assert conduct_in_words({}, predicts=False) == []


BELIEF = {
    "mechanism_probability": {"michaelis-menten": 0.9, "hill": 0.1},
    "most_probable": "michaelis-menten",
    "mechanisms": {"michaelis-menten": {}},
    "diagnostics": {"trusted": True, "explained": True, "surprised": False, "lost": []},
}
STOP = {"probability": 0.9, "widths": {"km": 0.01}, "information": 0.05}


@pytest.mark.parametrize(
    ("ended", "last"),
    [
        (
            "answered",
            "It ended with the precision asked for: a law is at least 0.9 probable and the 90 % interval of km ",
        ),
        ("exhausted", "It ended since no experiment was expected to tell 0.05 nats per unit of cost."),
        (
            "budget",
            "It ended when the budget paid for no more. The precision asked for was not reached: that a law is ",
        ),
    ],
)
def test_a_finding_says_why_its_run_ended(ended: str, last: str) -> None:
    domain = find("enzyme-kinetics")
    content = findings.run_finding(domain, BELIEF, experiments=3, cost=3.0, ended=ended, stop=STOP)
    assert content["ended"] == ended
    assert findings.run_text(domain, content).splitlines()[-1].startswith(last)
    many = findings.campaign_finding(domain, [content] * 2, [None] * 2, [])
    assert many["ended"] == {ended: 2}
    assert "Why the runs ended: 2 " in findings.campaign_text(domain, many)


def test_without_rules_the_budget_goes_without_saying() -> None:
    domain = find("enzyme-kinetics")
    content = findings.run_finding(domain, BELIEF, experiments=3, cost=3.0, ended="budget")
    assert content["ended"] == "budget"
    assert "ended" not in findings.run_text(domain, content)
