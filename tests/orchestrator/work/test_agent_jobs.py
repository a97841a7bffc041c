"""Jobs about agents, done as a worker does them: draws, trainings in slices, comparisons, adaptations."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from safetensors.torch import load_file

from experiments_db import jobs, trainings
from experiments_db.database import Database
from experiments_db.jobs import JobRecord
from meta_learner.agents.card import AgentError
from meta_learner.agents.loading import load_network
from orchestrator import job_work, services
from orchestrator.agents import agent_store, choose_policy
from orchestrator.desk.agents import AgentDesk
from orchestrator.desk.distributions import DistributionDesk, Length
from orchestrator.desk.jobs import JobDesk
from orchestrator.errors import ForbiddenError, OrganonError, RequestError
from orchestrator.job_work import work_next
from orchestrator.settings import Settings
from orchestrator.tokens import Holder
from orchestrator.training import STATE
from orchestrator.training import train as train_whole
from tests.orchestrator.test_training import RECIPE, same
from tests.tiny_agents import proven, tiny

TEXT = yaml.safe_dump(RECIPE.model_dump(mode="json", by_alias=True) | {"imitate": {"steps": 12, "batch": 4}})
OPERATOR, VIEWER = Holder("Ada", "operator"), Holder("Eve", "viewer")


@pytest.fixture
def desk(settings: Settings, database: Database) -> DistributionDesk:
    found = DistributionDesk(settings, database, OPERATOR)
    found.save(TEXT)
    return found


@pytest.fixture
def agents(desk: DistributionDesk) -> AgentDesk:
    """The desk of agents, in a home with an untrained experimenter named tiny."""
    train_whole(desk.settings, desk.database, RECIPE, seconds=0.0)
    return AgentDesk(desk.settings, desk.database, OPERATOR)


def short_slices(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.0) -> None:
    monkeypatch.setattr(job_work, "_SLICE_SECONDS", seconds)


def done(desk: Any, job: JobRecord, slices: int = 1000) -> JobRecord:
    """The job after so many slices, or at its end."""
    for _ in range(slices):
        if work_next(desk.database, desk.settings, lambda: None)[0] != "again":
            break
    with desk.database.read() as session:
        return jobs.get_job(session, job.id)


def train(desk: DistributionDesk, agent: str = "new", **length: Any) -> JobRecord:
    return desk.train("tiny", None, agent=agent, length=Length(**length))


def test_draws_are_those_of_the_seed(desk: DistributionDesk) -> None:
    text = TEXT + "random-domains: [{seeds: [0, 9]}]\ndomains: [{names: [enzyme-kinetics], shift: [0, 1]}]\n"
    desk.save(text)
    found = done(desk, desk.draw("tiny", None, seed=3, count=8))
    assert found.status == "finished", found.message
    assert found.result is not None
    drawn = found.result["draws"]
    assert len(drawn) == 8
    assert {each["kind"] for each in drawn} == {"table", "domain"}
    for each in drawn:
        if each["kind"] == "table":
            assert len(each["probability"]) == each["designs"] == 3
            assert all(sum(row) == pytest.approx(1, abs=1e-3) for design in each["probability"] for row in design)
        else:
            assert each["title"]
            assert each["laws"][0]["latex"].startswith(r"\begin{aligned}")
            low, middle, high = each["predictive"]["laws"][0]["quantiles"][0]
            assert low <= middle <= high
    assert desk.draw("tiny", None, seed=3, count=8).id == found.id
    other = done(desk, desk.draw("tiny", None, seed=4, count=8))
    assert other.result != found.result


def test_a_training_in_slices_is_the_training_in_one(desk: DistributionDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = done(desk, train(desk, "whole"))
    short_slices(monkeypatch)
    job = train(desk, "parts")
    assert done(desk, job, slices=3).status == "running"
    assert done(desk, job).status == "finished"
    assert whole.result is not None
    assert (whole.result["status"], whole.result["step"]) == ("finished", 14)
    with desk.database.read() as session:
        (one,), (other,) = (trainings.trainings_of(session, name) for name in ("whole", "parts"))
    assert len(one.curve) == 14
    assert one.curve == other.curve
    folder = desk.settings.folder / "training"
    assert same(load_file(folder / "whole" / STATE), load_file(folder / "parts" / STATE))


def test_the_points_of_a_long_curve_are_those_of_one_sitting(
    desk: DistributionDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several steps a point, and slices that end between two."""
    monkeypatch.setattr("meta_learner.training.session._POINTS", 4)
    done(desk, train(desk, "whole"))
    short_slices(monkeypatch)
    done(desk, train(desk, "parts"))
    with desk.database.read() as session:
        (one,), (other,) = (trainings.trainings_of(session, name) for name in ("whole", "parts"))
    assert len(one.curve) == 4
    assert one.curve == other.curve


def test_a_training_stops_after_its_steps_and_goes_on_when_asked(desk: DistributionDesk) -> None:
    first = done(desk, train(desk, steps=4))
    assert first.result is not None
    assert (first.result["status"], first.result["step"]) == ("stopped", 4)
    second = train(desk, steps=4)
    assert second.id != first.id
    assert second.arguments["from"]["step"] == 4
    found = done(desk, second)
    assert found.result is not None
    assert found.result["step"] == 8
    done(desk, train(desk))
    with pytest.raises(RequestError, match="has come to the end of its 14 steps"):
        train(desk)


def test_a_training_that_is_cancelled_leaves_an_agent_and_goes_on(desk: DistributionDesk) -> None:
    """Cancelled in the middle of a slice, by somebody at the desk, while the worker is at it."""
    job = train(desk)
    calls: list[int] = []

    def progress() -> None:
        calls.append(1)
        if len(calls) == 1:
            JobDesk(desk.settings, desk.database, OPERATOR).stop(job.id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestrator.work.training._TELL_SECONDS", 0.0)
        work_next(desk.database, desk.settings, progress)
    with desk.database.read() as session:
        found, (row,) = jobs.get_job(session, job.id), trainings.trainings_of(session, "new")
    assert found.status == "cancelled"
    assert (row.status, row.step) == ("stopped", 2)
    stored = agent_store(desk.settings).find("new")
    load_network(stored)
    assert stored.card.training.steps == 2
    again = done(desk, train(desk))
    assert again.result is not None
    assert again.result["status"] == "finished"


def test_a_worker_that_lost_a_training_writes_nothing(desk: DistributionDesk) -> None:
    job = train(desk)

    def lose() -> None:
        with desk.database.write() as session:
            session.connection().exec_driver_sql("UPDATE job SET lease_owner = 'another/1/0.0'")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestrator.work.training._TELL_SECONDS", 0.0)
        work_next(desk.database, desk.settings, lose)
    with desk.database.read() as session:
        (row,) = trainings.trainings_of(session, "new")
        assert (row.status, row.step) == ("running", 0)  # as it was begun
        assert jobs.get_job(session, job.id).status == "running"
    assert "new" not in agent_store(desk.settings).names()


def test_what_cannot_be_trained_is_said_at_once(desk: DistributionDesk, agents: AgentDesk) -> None:
    with pytest.raises(OrganonError, match="there is an agent 'tiny' already, of another recipe"):
        train(desk, "tiny")
    with pytest.raises(OrganonError, match="an agent's name is at most"):
        train(desk, "Not so")
    train(desk, "new", steps=2)
    with pytest.raises(RequestError, match="'new' is being made now"):
        train(desk, "new", steps=3)


def test_two_policies_in_the_same_worlds(agents: AgentDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.work.comparing._BLOCK_RUNS", 2)
    short_slices(monkeypatch)
    asked: Callable[..., JobRecord] = agents.compare
    job = asked(("tiny", "random"), "death-process", runs=4, seed=1, particles=60)
    assert done(agents, job, slices=1).status == "running"
    found = done(agents, job)
    assert found.status == "finished", found.message
    assert found.result is not None
    first, second = found.result["policies"]
    assert found.result["runs"] == 4
    assert len(first["final"]) == len(second["final"]) == 4
    steps = len(first["by_experiment"])
    assert steps == len(found.result["difference"]) >= 3
    pairs = [a - b for a, b in zip(first["final"], second["final"], strict=True)]
    last = found.result["difference"][-1]
    assert last["mean"] == pytest.approx(sum(pairs) / 4)
    assert last["low"] <= last["mean"] <= last["high"]
    assert not list((agents.settings.folder / "cache" / "comparisons").glob("*.json"))
    short_slices(monkeypatch, 60.0)
    with agents.database.write() as session:
        session.connection().exec_driver_sql("UPDATE job SET status = 'cancelled'")
    again = done(agents, asked(("tiny", "random"), "death-process", runs=4, seed=1, particles=60))
    assert again.result is not None
    assert [each["final"] for each in again.result["policies"]] == [first["final"], second["final"]]


def test_what_cannot_be_compared_is_said_at_once(agents: AgentDesk) -> None:
    compare: Callable[..., JobRecord] = agents.compare
    with pytest.raises(RequestError, match="tiny beside itself tells nothing"):
        compare(("tiny", "tiny"), "ces", runs=4, seed=1)
    with pytest.raises(RequestError, match="1 worlds: ask for 2 to 200"):
        compare(("tiny", "sobol"), "ces", runs=1, seed=1)
    with pytest.raises(RequestError, match="there is no policy 'nobody'"):
        compare(("nobody", "sobol"), "ces", runs=2, seed=1)


def test_adapting_in_slices_gives_an_agent_for_that_domain(agents: AgentDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    short_slices(monkeypatch)
    job = agents.adapt("tiny", "death-process", name="tiny-death", minutes=60)
    state = agents.settings.folder / "adaptation" / "tiny-death.safetensors"
    assert done(agents, job, slices=1).status == "running"
    assert len(load_file(state)["values"]) == 1
    with agents.database.write() as session:  # an hour is over sooner
        session.connection().exec_driver_sql("UPDATE job SET arguments = json_set(arguments, '$.seconds', 0.01)")
    found = done(agents, job)
    assert found.status == "finished", found.message
    assert found.result is not None
    assert found.result["steps"] == 1
    assert not state.exists()
    card = agent_store(agents.settings).find("tiny-death").card
    assert [document.name for document in card.domains] == ["death-process"]
    assert card.training.steps == 2
    with pytest.raises(AgentError, match="there is an agent 'tiny-death' already"):
        agents.adapt("tiny", "death-process", name="tiny-death", minutes=2)


def test_one_name_is_made_by_one_job(desk: DistributionDesk, agents: AgentDesk) -> None:
    """Two adaptations under one name would find each other's state and begin anew, slice after slice."""
    job = agents.adapt("tiny", "death-process", name="other", minutes=60)
    assert agents.adapt("tiny", "death-process", name="other", minutes=60).id == job.id
    with pytest.raises(RequestError, match="'other' is being made now"):
        agents.adapt("tiny", "ces", name="other", minutes=60)
    with pytest.raises(RequestError, match="'other' is being made now"):
        train(desk, "other")
    JobDesk(agents.settings, agents.database, agents.who).stop(job.id)
    assert agents.adapt("tiny", "ces", name="other", minutes=60).id != job.id


def test_slices_of_an_adaptation_are_one_learning(settings: Settings, agents: AgentDesk) -> None:
    """Kept after every step and resumed, or not: the same values and weights."""
    from domains.loading import find
    from orchestrator.adaptation import Asked, begun

    asked = Asked(find("death-process"), "tiny", "other", seconds=1e9, which="low-rank")
    path = settings.folder / "kept.safetensors"
    whole, steps = begun(settings, asked), iter([False, False, True])
    whole.learn(lambda: next(steps), lambda *_: None)
    for _ in range(3):
        part = begun(settings, asked)
        part.resume(path)
        part.learn(lambda: True, lambda *_: None)
        part.keep(path)
    assert part.values == whole.values
    assert same(part.session.state(), whole.session.state())
    other = begun(settings, Asked(asked.domain, "tiny", "other", seconds=1e9, which="all"))
    other.resume(path)
    assert other.values == []


@pytest.mark.parametrize(
    ("about", "act"),
    [
        (DistributionDesk, lambda desk: desk.save(TEXT)),
        (DistributionDesk, lambda desk: desk.draw("tiny", None, seed=1)),
        (DistributionDesk, lambda desk: desk.train("tiny", None, agent="new", length=Length())),
        (AgentDesk, lambda desk: desk.promote("experimenter")),
        (AgentDesk, lambda desk: desk.demote()),
        (AgentDesk, lambda desk: desk.retire("experimenter", "")),
        (AgentDesk, lambda desk: desk.restore("experimenter")),
        (AgentDesk, lambda desk: desk.compare(("sobol", "random"), "ces", runs=2, seed=1)),
        (AgentDesk, lambda desk: desk.adapt("experimenter", "ces", name="x", minutes=1)),
    ],
)
def test_viewers_change_nothing(desk: DistributionDesk, about: Any, act: Callable[[Any], object]) -> None:
    with pytest.raises(ForbiddenError, match="Eve may look and not act"):
        act(about(desk.settings, desk.database, VIEWER))
    assert not list(desk.settings.folder.glob("*.json"))
    with desk.database.read() as session:
        assert jobs.list_jobs(session) == []


def test_retired_agents_are_not_offered_and_old_campaigns_go_on(
    agents: AgentDesk, settings: Settings, database: Database
) -> None:
    from domains.loading import find

    domain = find("enzyme-kinetics")
    request = services.campaign_request(domain="enzyme-kinetics", policy="tiny", budget=2, particles=60)
    campaign = services.create_campaign(settings, database, request).id
    agents.retire("tiny", "a newer one is better")
    (kept,) = json.loads((settings.folder / "retired-agents.json").read_text()).items()
    assert (kept[0], kept[1]["by"], kept[1]["reason"]) == ("tiny", "Ada", "a newer one is better")
    assert "tiny" not in services.campaign_choices(settings, "enzyme-kinetics").policies
    with pytest.raises(RequestError, match="'tiny' is retired; organon agent restore tiny puts it back"):
        services.create_campaign(settings, database, request)
    with pytest.raises(RequestError, match="'tiny' is retired"):
        agents.retire("tiny", "")
    with pytest.raises(RequestError, match="'tiny' is retired"):
        agents.promote("tiny")
    services.pause_campaign(database, campaign)
    assert services.resume_campaign(settings, database, campaign) == campaign
    agents.restore("tiny")
    assert choose_policy(settings, "tiny", domain).name == "tiny"
    with pytest.raises(RequestError, match="'tiny' is not retired; none is"):
        agents.restore("tiny")
    card, weights = tiny("good")
    agent_store(settings).save(proven(card), weights)
    agents.promote("good")
    with pytest.raises(RequestError, match="'good' is the default policy; promote another first"):
        agents.retire("good", "")
    with pytest.raises(RequestError, match="is a classical policy"):
        agents.retire("sobol", "")


def test_versions_are_kept_and_never_changed(desk: DistributionDesk) -> None:
    from orchestrator.distributions import find_distribution, own_distributions, versions_of

    second = desk.save(TEXT.replace("steps: 12", "steps: 13"))
    assert (second.name, second.version) == ("tiny", 2)
    assert find_distribution(desk.database, "tiny", 1).text == TEXT
    assert [each.version for each in versions_of(desk.database, "tiny")] == [2, 1]
    desk.save(TEXT.replace("name: tiny", "name: also"))
    assert [(each.name, each.version) for each in own_distributions(desk.database)] == [("also", 1), ("tiny", 2)]
    with pytest.raises(RequestError, match="version 2 of tiny says the same"):
        desk.save(second.text)
    with pytest.raises(RequestError, match="name: 'smoke' comes with Organon"):
        desk.save(TEXT.replace("name: tiny", "name: smoke"))
    with pytest.raises(RequestError, match="name: 'Tiny': an agent's name"):
        desk.save(TEXT.replace("name: tiny", "name: Tiny"))
    with pytest.raises(RequestError, match="this cannot be kept: imitate: Field required"):
        desk.save("name: none")


def test_long_work_and_short_take_turns(desk: DistributionDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    short_slices(monkeypatch)
    long = train(desk)
    assert work_next(desk.database, desk.settings, lambda: None) == ("again", long.id)
    short = desk.draw("tiny", None, seed=1, count=1)
    turns = [work_next(desk.database, desk.settings, lambda: None) for _ in range(3)]
    assert turns == [
        ("again", long.id),
        ("finished", short.id),
        ("again", long.id),
    ]  # longest since its last turn first
