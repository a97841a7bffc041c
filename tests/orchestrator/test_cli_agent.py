"""``organon agent``: what it prints, and that what is wrong is one message."""

import json
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from meta_learner.agents.loading import packed
from meta_learner.agents.store import Store
from meta_learner.experimenter.network import Experimenter, Shape
from orchestrator import agents
from orchestrator.settings import Settings
from tests.orchestrator.commands import Ended, Organon
from tests.tiny_agents import SLOPE, TRAINING, proven, result, tiny


@pytest.fixture
def agent(organon: Organon) -> Organon:
    """Run ``organon agent …``."""
    return partial(organon, "agent")


def refused(ended: Ended, *words: str) -> None:
    """One message on the error stream that holds these words; status 2; nothing on standard output."""
    assert (ended.status, ended.out) == (2, ""), ended
    assert ended.err.startswith("organon: ")
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err


@pytest.fixture
def store(settings: Settings) -> Store:
    """A home with two agents: tiny-one, which is proven, and other."""
    found = agents.agent_store(settings)
    card, weights = tiny(recipe={"rate": 0.01}, limits="Knows nothing.")
    found.save(proven(card), weights)
    found.save(*tiny("other", weight=-1.0))
    return found


@pytest.fixture
def slope_file(tmp_path: Path) -> str:
    path = tmp_path / "slope.yaml"
    path.write_text(SLOPE.replace("GOAL", "learn"))
    return str(path)


def test_no_agent_yet(agent: Organon, settings: Settings) -> None:
    ended = agent("list")
    names = agents.agent_store(settings).names()  # those shipped, if any
    assert ended.status == 0
    assert ("No agent yet" in ended.out) == (names == [])
    assert "the default policy is " in ended.out


def test_list(agent: Organon, store: Store) -> None:
    ended = agent("list")
    assert ended.status == 0
    assert "tiny-one" in ended.out
    assert "as good as expected-information-gain" in ended.out
    assert "0 held-out results" in ended.out
    (store.own / "other" / "card.json").write_text("{")
    listed = json.loads(agent("list", "--json").out)
    rows = {row["name"]: row for row in listed["agents"]}
    assert rows["tiny-one"]["as_good_as_greedy"] is True
    assert rows["tiny-one"]["from"] == str(store.own / "tiny-one")
    assert rows["tiny-one"]["weights"] == store.find("tiny-one").card.weights.sha256
    assert "Invalid JSON" in rows["other"]["problem"]
    assert listed["default"]


def test_show(agent: Organon, store: Store) -> None:
    out = agent("show", "tiny-one").out
    for words in (
        "tiny-one: tiny,", "goals: learn, discriminate", "recipe: rate 0.01", "trained on nothing at all", "abc",
        "3 steps, 12 episodes, 48 experiments", "regret: 0.5 at 0, 0.25 at 3", "limits: Knows nothing.",
        "d0", "+0.000 ± 0.001", "pooled: 1.000 of what expected-information-gain gains (95 %: 1.000 to 1.000)",
        "gain: yes",
    ):  # fmt: skip
        assert words in out
    assert "at least as good as expected-information-gain: not shown\n  0 domains" in agent("show", "other").out
    shown = json.loads(agent("show", "other", "--json").out)
    assert shown["card"]["name"] == "other"
    assert shown["as_good_as_greedy"] is False
    assert len(shown["shortfalls"]) == 2
    refused(agent("show", "othr"), "there is no agent 'othr'", "did you mean 'other'")
    (store.own / "other" / "agent.safetensors").write_bytes(b"x")
    refused(agent("show", "other"), "holds other weights")


def test_evaluate_and_record(agent: Organon, store: Store, slope_file: str) -> None:
    few = ["--domain", slope_file, "--runs", "4", "--particles", "100", "--against", "random"]
    plain = agent("evaluate", "other", *few)
    assert plain.status == 0, plain.err
    assert "slope: gain: nats about the hypothesis (sACE); a run makes 2.0 experiments, and 2.0 by random" in plain.out
    assert store.find("other").card.held_out == ()
    again = agent("evaluate", "other", *few, "--json", "--record")
    assert again.status == 0, again.err
    printed = json.loads(again.out)
    (kept,) = store.find("other").card.held_out
    assert printed["results"] == [kept.model_dump(mode="json")]
    assert (kept.runs, kept.against, kept.seed) == (4, "random", 2026)
    assert kept.machine
    assert kept.date
    assert "random" in agent("show", "other").out


def test_what_cannot_be_evaluated(agent: Organon, store: Store, slope_file: str) -> None:
    refused(agent("evaluate", "nobody", "--domain", slope_file), "there is no agent 'nobody'")
    refused(agent("evaluate", "other", "--domain", "slop"), "slop")
    refused(agent("evaluate", "other", "--domain", slope_file, "--against", "tiny"), "there is no policy 'tiny'")
    store.save(*tiny("games", goals=[]))
    refused(agent("evaluate", "games", "--domain", slope_file), "plays games on tables only")


def test_promote_and_demote(agent: Organon, store: Store) -> None:
    refused(agent("promote", "other"), "does not show", "0 domains", "organon agent evaluate other --domain")
    assert agent("promote", "tiny-one").out == "the default policy is tiny-one\n"
    assert "default, as good as" in agent("list").out
    promoted = json.loads(agent("promote", "tiny-one", "--json").out)
    assert promoted == {"default": "tiny-one", "weights": store.find("tiny-one").card.weights.sha256}
    store.save(*tiny(), replace=True)
    assert "has lost its standing" in agent("list").out
    assert json.loads(agent("list", "--json").out)["default"] is None
    assert json.loads(agent("demote", "--json").out) == {"default": "expected-information-gain"}
    assert "the default policy is expected-information-gain" in agent("list").out


def test_import(agent: Organon, store: Store, tmp_path: Path) -> None:
    made = Store(tmp_path / "made").save(*tiny("newcomer"))
    assert agent("import", str(made.folder)).out == f"newcomer lies in {store.own / 'newcomer'}\n"
    assert store.find("newcomer").weights() == made.weights()
    refused(agent("import", str(made.folder)), "there is an agent 'newcomer' already")
    assert json.loads(agent("import", str(made.folder), "--replace", "--json").out)["name"] == "newcomer"
    refused(agent("import", str(tmp_path)), "card.json cannot be read")
    (made.folder / "agent.safetensors").write_bytes(b"x")
    refused(agent("import", str(made.folder), "--replace"), "holds other weights")


def test_a_recorded_result_stays_beside_more_runs(agent: Organon, store: Store, slope_file: str) -> None:
    few = ["--domain", slope_file, "--particles", "100", "--against", "random", "--record"]
    assert agent("evaluate", "other", *few, "--runs", "5").status == 0
    refused(agent("evaluate", "other", *few, "--runs", "4"), "has 5 runs on slope", "more than these 4")
    (kept,) = store.find("other").card.held_out
    assert kept != result(store.find("other").card)
    assert kept.runs == 5


def test_a_campaign_names_its_agent(organon: Organon, store: Store, slope_file: str) -> None:
    created = organon("campaign", "create", "--domain", slope_file, "--policy", "tiny-one", "--json")
    shown = organon("campaign", "show", json.loads(created.out)["id"])
    assert f"slope, tiny-one (weights {store.find('tiny-one').card.weights.sha256[:12]}), simulate" in shown.out
    refused(organon("campaign", "create", "--domain", slope_file, "--policy", "tiny-on"), "did you mean 'tiny-one'")
    (store.own / "tiny-one" / "agent.safetensors").write_bytes(b"x")
    refused(organon("campaign", "create", "--domain", slope_file, "--policy", "tiny-one"), "holds other weights")


def test_export(agent: Organon, store: Store, tmp_path: Path) -> None:
    small = {"width": 16, "heads": 2, "layers": 1}
    network = Experimenter(Shape(**small))
    store.save(*packed(network, name="learner", family="experimenter", options=small, training=TRAINING))
    refused(agent("export", "learner", str(tmp_path / "learner.pt")), "ends in .onnx")
    refused(agent("export", "tiny-one", str(tmp_path / "tiny.onnx")), "family 'tiny'")
    ended = agent("export", "learner", str(tmp_path / "learner.onnx"))
    if find_spec("onnx") is None:
        refused(ended, "not installed", "pip install -c constraints.txt -e '.[onnx]'")
    else:
        assert ended.status == 0, ended.err
        assert "64 designs × 64 hypotheses on one thread" in ended.out
        assert (tmp_path / "learner.onnx").exists()


def test_retire_and_restore(organon: Organon, home: Path) -> None:
    Store(home / "agents").save(*tiny())
    assert organon("agent", "retire", "tiny-one", "--reason", "worn out", "--by", "Ada").status == 0
    (line,) = [each for each in organon("agent", "list", "--json").json["agents"] if each["name"] == "tiny-one"]
    assert (line["retired"]["by"], line["retired"]["reason"]) == ("Ada", "worn out")
    assert line["standing"].startswith("retired, ")
    assert "tiny-one" in organon("agent", "list").out
    again = organon("agent", "retire", "tiny-one")
    assert (again.status, again.out) == (2, "")
    assert "organon agent restore tiny-one puts it back" in again.err
    assert "tiny-one is offered again" in organon("agent", "restore", "tiny-one").out
    assert "is not retired; none is" in organon("agent", "restore", "tiny-one").err
    assert "there is no agent 'nobody'" in organon("agent", "retire", "nobody").err
