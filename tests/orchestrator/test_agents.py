"""Agents as policies: chosen by name, held to their weights, the default only where their card shows it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from domains.loading import find
from experiments_db import models
from experiments_db.database import Database
from meta_learner.agents.store import SHIPPED, Store
from orchestrator import advance as advancing
from orchestrator import agents, services
from orchestrator.advance import advance
from orchestrator.errors import OrganonError, RequestError
from orchestrator.investigation import Investigation
from orchestrator.settings import Settings
from tests.tiny_agents import SLOPE, proven, tiny

GREEDY = services.BEST_POLICY

COME_WITH = Store(SHIPPED, SHIPPED).names()


@pytest.fixture
def slope_file(tmp_path: Path) -> str:
    path = tmp_path / "slope.yaml"
    path.write_text(SLOPE.replace("GOAL", "learn").replace("budget: 2", "budget: 3"))
    return str(path)


def stored(settings: Settings, *, good: bool = False, **values: object) -> Store:
    """A home with one agent, tiny-one, proven or not."""
    card, weights = tiny(**values)  # type: ignore[arg-type]
    store = agents.agent_store(settings)
    store.save(proven(card) if good else card, weights, replace=True)
    return store


def created(settings: Settings, database: Database, domain: str, policy: str | None) -> tuple[str, int]:
    request = services.campaign_request(domain=domain, policy=policy, particles=100, seed=4)
    campaign = services.create_campaign(settings, database, request).id
    with database.read() as session:
        block = session.scalars(select(models.Block.id).where(models.Block.campaign_id == campaign)).one()  # type: ignore[call-overload]
    return campaign, block


def designs(database: Database, campaign: str) -> list[float]:
    with database.read() as session:
        query = (
            select(models.Experiment.design)  # type: ignore[call-overload]
            .join(models.Run, models.Run.id == models.Experiment.run_id)
            .where(models.Run.campaign_id == campaign)
            .order_by(models.Experiment.step)
        )
        return [design["x"] for design in session.scalars(query)]


@pytest.mark.parametrize("weight", [1.0, -1.0])
def test_a_campaign_is_run_by_an_agent(settings: Settings, database: Database, slope_file: str, weight: float) -> None:
    store = stored(settings, weight=weight)
    campaign, block = created(settings, database, slope_file, "tiny-one")
    assert advance(database, settings, block) == "finished"
    status = services.campaign_status(database, campaign)
    assert (status["status"], status["policy"]) == ("finished", "tiny-one")
    assert status["settings"]["agent"] == {"weights": store.find("tiny-one").card.weights.sha256}
    liked = designs(database, campaign)
    assert len(liked) == 3
    assert min(liked) > 0.9 if weight > 0 else max(liked) < 0.1


def test_a_classical_campaign_names_no_weights(settings: Settings, database: Database) -> None:
    campaign, _ = created(settings, database, "enzyme-kinetics", GREEDY)
    status = services.campaign_status(database, campaign)
    assert (status["policy"], status["settings"]["agent"]) == (GREEDY, None)


def test_a_campaign_goes_on_with_its_own_weights_or_not_at_all(
    settings: Settings, database: Database, slope_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paused, its agent replaced: it cannot be resumed; put back, it ends with the designs of one that was not
    interrupted."""
    store = stored(settings)
    own = store.find("tiny-one")
    (whole, its_block), (campaign, block) = (created(settings, database, slope_file, "tiny-one") for _ in range(2))
    assert advance(database, settings, its_block) == "finished"
    with monkeypatch.context() as patch:
        patch.setattr(advancing._Advance, "_pause", lambda *_: iter([False, True]).__next__)  # after one step
        assert advance(database, settings, block) == "again"
    assert services.campaign_status(database, campaign)["progress"]["experiments"] == 1
    services.pause_campaign(database, campaign)
    kept = own.weights()
    store.save(*tiny(weight=-1.0), replace=True)
    with pytest.raises(RequestError, match=r"cannot go on: the agent 'tiny-one' here has the weights .* put these"):
        services.resume_campaign(settings, database, campaign)
    assert services.campaign_status(database, campaign)["status"] == "paused"
    store.save(own.card, kept, replace=True)
    services.resume_campaign(settings, database, campaign)
    assert advance(database, settings, block) == "finished"
    assert designs(database, campaign) == designs(database, whole)


@pytest.mark.parametrize(("change", "words"), [("replaced", "here has the weights"), ("gone", "there is no agent")])
def test_a_worker_that_meets_other_weights_says_so(
    settings: Settings, database: Database, slope_file: str, change: str, words: str
) -> None:
    store = stored(settings)
    campaign, block = created(settings, database, slope_file, "tiny-one")
    if change == "replaced":
        store.save(*tiny(weight=-1.0), replace=True)
    else:
        (store.own / "tiny-one").rename(store.own.parent / "elsewhere")
    assert advance(database, settings, block) == "finished"
    status = services.campaign_status(database, campaign)
    assert (status["status"], status["progress"]["experiments"]) == ("failed", 0)
    assert words in str(status["message"])


@pytest.mark.parametrize(
    ("about", "policy", "words"),
    [
        (
            {},
            "tiny-on",
            r"there is no policy 'tiny-on'; did you mean 'tiny-one'\? Policies are expected.*, tiny-one",
        ),
        ({"goals": []}, "tiny-one", "--policy tiny-one: this agent plays games on tables only.*, such as expected-inf"),
        ({"goals": ["predict"]}, "tiny-one", "serves the goals predict, and slope asks to learn"),
        ({"domains": [{"name": "other", "identity": "a" * 64}]}, "tiny-one", "is a specialist for other"),
    ],
)
def test_agents_that_cannot_be_sent(
    settings: Settings, database: Database, slope_file: str, about: dict[str, object], *, policy: str, words: str
) -> None:
    stored(settings, **about)
    with pytest.raises(RequestError, match=words):
        created(settings, database, slope_file, policy)
    assert services.list_campaigns(database) == []


def test_an_agent_scores_nothing_that_a_run_could_stop_by(settings: Settings, slope_file: str) -> None:
    stored(settings)
    request = services.campaign_request(domain=slope_file, policy="tiny-one", stop={"information": 0.1})
    with pytest.raises(RequestError, match="the policy tiny-one scores no designs"):
        services.check_campaign(settings, request)


def test_the_default_is_classical_until_a_card_shows_better(
    settings: Settings, database: Database, slope_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a home without a shipped agent."""
    store = Store(settings.folder / "agents", tmp_path / "shipped")
    monkeypatch.setattr(agents, "agent_store", lambda _: store)
    assert agents.default_policy(settings) == GREEDY
    stored(settings)
    with pytest.raises(OrganonError, match=r"its card does not show that it is at least as good .* 0 domains"):
        agents.promote(settings, "tiny-one")
    assert agents.default_policy(settings) == GREEDY
    stored(settings, good=True)
    assert agents.default_policy(settings) == GREEDY, "a good card is not yet a promotion"
    agents.promote(settings, "tiny-one")
    assert agents.default_policy(settings) == "tiny-one"
    assert services.campaign_choices(settings, slope_file).policies[:2] == ["tiny-one", GREEDY]
    campaign, _ = created(settings, database, slope_file, None)
    assert services.campaign_status(database, campaign)["policy"] == "tiny-one"
    assert Investigation(slope_file).ask()["x"] > 0.9  # type: ignore[operator]
    ends_by_information = services.campaign_request(domain=slope_file, stop={"information": 0.1})
    assert services.check_campaign(settings, ends_by_information).policy.name == GREEDY, "the agent says no such thing"
    assert agents.demote(settings) == GREEDY
    assert agents.default_policy(settings) == GREEDY
    assert store.names() == ["tiny-one"]


def test_what_was_promoted_and_is_good_no_more_is_not_used(settings: Settings, slope_file: str) -> None:
    stored(settings, good=True)
    agents.promote(settings, "tiny-one")
    stored(settings)
    with pytest.raises(OrganonError, match=r"'tiny-one' has lost its standing: 0 domains .* organon agent demote"):
        agents.choose_policy(settings, None, find(slope_file))
    (agents.agent_store(settings).own / "tiny-one" / "card.json").unlink()
    with pytest.raises(OrganonError, match=r"'tiny-one' is not to be had: there is no agent .* organon agent demote"):
        agents.default_policy(settings)
    agents.demote(settings)
    assert agents.default_policy(settings) == GREEDY


@pytest.mark.parametrize("content", ["", "[]", "{}", "\udcff"])
def test_a_setting_that_cannot_be_read(settings: Settings, content: str) -> None:
    (settings.make_home() / "default-policy.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(OrganonError, match=r"default-policy.json cannot be read .* organon agent demote"):
        agents.default_policy(settings)


@pytest.mark.parametrize("good", [True, False])
def test_what_is_shipped_is_the_default_if_and_only_if_its_card_shows_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: bool
) -> None:
    store = Store(settings.folder / "agents", tmp_path / "shipped")
    monkeypatch.setattr(agents, "agent_store", lambda _: store)
    card, weights = tiny(agents.SHIPPED_DEFAULT)
    Store(store.shipped, store.shipped).save(proven(card) if good else card, weights)
    assert agents.default_policy(settings) == (agents.SHIPPED_DEFAULT if good else GREEDY)
    agents.demote(settings)
    assert agents.default_policy(settings) == GREEDY


def test_the_rule_holds_for_what_is_shipped_now(settings: Settings) -> None:
    shipped = Store(SHIPPED, SHIPPED)
    good = agents.SHIPPED_DEFAULT in shipped.names() and shipped.find(agents.SHIPPED_DEFAULT).card.as_good_as_greedy
    assert agents.default_policy(settings) == (agents.SHIPPED_DEFAULT if good else GREEDY)


def test_choices_leave_out_agents_that_do_not_serve_and_cards_that_cannot_be_read(settings: Settings) -> None:
    store = stored(settings)
    store.save(*tiny("narrow", goals=["predict"]))
    (store.save(*tiny("broken")).folder / "card.json").write_text("{")
    first, *others = services.campaign_choices(settings, "enzyme-kinetics").policies
    assert first == agents.default_policy(settings)
    assert {first, *others} == {*services.POLICY_NAMES, *COME_WITH, "tiny-one"}
    assert len(others) == len(services.POLICY_NAMES) + len(COME_WITH)


def test_pages_list_agents_without_torch(settings: Settings) -> None:
    stored(settings, good=True)
    agents.promote(settings, "tiny-one")
    code = (
        "import json, sys; from orchestrator import services; from orchestrator.settings import load_settings; "
        "print(json.dumps([services.campaign_choices(load_settings(), 'enzyme-kinetics').policies, "
        "'torch' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["tiny-one", *services.POLICY_NAMES, *COME_WITH], False]
