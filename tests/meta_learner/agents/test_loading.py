"""From files to a network: the same network, or a refusal that says why."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from domains import randomness
from meta_learner.agents.card import AgentError, Card
from meta_learner.agents.families import Family, register
from meta_learner.agents.loading import load_network, load_policy, packed
from meta_learner.agents.store import Store, Stored, weights_of
from meta_learner.experimenter.features import GOALS, of_games
from meta_learner.experimenter.network import Experimenter, Shape
from meta_learner.games.random_tables import Size, random_games
from tests.tiny_agents import TRAINING, Tiny, slope, tiny

SMALL = {"width": 16, "heads": 2, "layers": 1}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "own", tmp_path / "shipped")


def experimenter() -> Experimenter:
    """A network whose heads say something."""
    network, stream = Experimenter(Shape(**SMALL)), randomness.generator(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * randomness.normal(parameter.shape, stream))
    return network


def as_agent(network: torch.nn.Module, **about: object) -> tuple[Card, bytes]:
    values = {"name": "learner", "family": "experimenter", "options": SMALL, "training": TRAINING, **about}
    return packed(network, **values)


def edited(stored: Stored, **values: object) -> Stored:
    """The agent with another card to the same weights."""
    card = Card.model_validate({**stored.card.model_dump(), **values})
    return Stored(stored.folder, card, stored.shipped)


def test_the_experimenter_comes_back_and_says_the_same(store: Store) -> None:
    network = experimenter()
    loaded = load_network(store.save(*as_agent(network)))
    assert not loaded.training
    games = random_games("flat", Size(hypotheses=6, designs=7, experiments=2), 30, randomness.generator(2))
    table = of_games(games, games.prior[:, None], games.budget[:, None], GOALS[0])
    before, after, another = (each(table)[0] for each in (network, loaded, Experimenter(Shape(**SMALL))))  # type: ignore[arg-type]
    assert torch.equal(before, after)
    assert not torch.allclose(before, another)


def test_the_same_network_gives_the_same_bytes() -> None:
    network = experimenter()
    (one, first), (two, second) = (as_agent(network, limits=limits) for limits in ("none", "many"))
    assert first == second
    assert one.weights == two.weights == weights_of(first)
    assert as_agent(network, options={**SMALL, "sharpness": 5.0})[0].weights != one.weights, "it acts otherwise"


@pytest.mark.parametrize(
    "values",
    [{"options": {**SMALL, "sharpness": 5.0}}, {"family": "tiny"}, {"goals": ["learn"]},
     {"domains": [{"name": "slope", "identity": "a" * 64}]}],
)  # fmt: skip
def test_a_card_that_was_edited_is_refused(store: Store, values: dict[str, object]) -> None:
    saved = store.save(*as_agent(experimenter()))
    with pytest.raises(AgentError, match="made for another family, other options, goals or domains than"):
        load_network(edited(saved, **values))


def test_other_shapes_are_refused_by_name(store: Store) -> None:
    wide = as_agent(experimenter(), options={**SMALL, "width": 32})
    with pytest.raises(AgentError, match=r"learner: .* is float32 \[.*16.*\], and a network of .* has float32 \[.*32"):
        load_network(store.save(*wide))
    missing = as_agent(Tiny(), name="other")
    with pytest.raises(AgentError, match=r"other: blocks\.0\.\S+ is missing, and a network"):
        load_network(store.save(*missing))


def test_options_that_make_no_network(store: Store) -> None:
    odd = as_agent(experimenter(), options={"colour": "red"})
    with pytest.raises(AgentError, match=r"options of learner do not make a network .*colour.*version of Organon"):
        load_network(store.save(*odd))


def test_a_family_that_is_not_there(store: Store) -> None:
    saved = store.save(*tiny(family="oracle"))
    with pytest.raises(
        AgentError, match=r"of the family 'oracle', which this Organon does not have; it has deep.*, experim"
    ):
        load_network(saved)


def test_a_family_joins_once() -> None:
    family = Family(lambda card, model: Tiny(), lambda network, card, model: 1 / 0)  # noqa: ARG005
    with pytest.raises(AgentError, match="there is a family 'experimenter' already"):
        register("experimenter", family)


def test_weights_that_are_not_finite(store: Store) -> None:
    with pytest.raises(AgentError, match="slope holds numbers that are not finite"):
        load_network(store.save(*tiny(weight=float("nan"))))


def test_files_that_are_no_weights(store: Store) -> None:
    card, _ = tiny()
    for name, content, words in (
        ("text", b"not a tensor", "no safetensors file"),
        ("bare", save({"slope": torch.zeros(1)}), "other options, goals or domains"),
    ):
        other = card.model_copy(update={"name": name, "weights": weights_of(content)})
        with pytest.raises(AgentError, match=words):
            load_network(store.save(other, content))


def test_an_agent_is_a_policy_under_its_own_name_where_it_serves(store: Store) -> None:
    assert load_policy(store.save(*tiny()), slope()).name == "tiny-one"
    with pytest.raises(AgentError, match="the agent 'learner' plays games on tables only"):
        load_policy(store.save(*as_agent(experimenter())), slope())
    with pytest.raises(AgentError, match="the agent 'narrow' serves the goals predict, and slope asks to learn"):
        load_policy(store.save(*tiny("narrow", goals=["predict"])), slope())
