"""Cards: what they hold comes back, what is wrong is refused by name, and when they show that an agent is good."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta_learner.agents.card import CLASSICAL, AgentError, Card, checked_name, read_card
from meta_learner.agents.standing import on_domains, pooled, shortfalls
from tests.tiny_agents import GOALS, TRAINING, proven, result, tiny

CARD, _ = tiny()
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.fixed_dictionaries({"name": WORDS.filter(bool), "identity": st.from_regex(r"\A[0-9a-f]{64}\Z")})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=3)
COUNTS = st.integers(0, 10**12)


@st.composite
def cards(draw: Any) -> Card:
    training = {
        **TRAINING, "tasks": draw(st.lists(WORDS, max_size=3)), "domains": draw(st.lists(DOCUMENTS, max_size=2)),
        "steps": draw(COUNTS), "commit": draw(st.none() | WORDS), "curve": draw(st.lists(st.tuples(COUNTS, NUMBERS))),
    }  # fmt: skip
    base, _ = tiny(
        draw(st.from_regex(r"\A[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,5})?\Z").filter(lambda name: name not in CLASSICAL)),
        recipe=draw(OBJECTS), options={}, limits=draw(WORDS), training=training,
        goals=draw(st.lists(st.sampled_from(GOALS), unique=True)),
    )  # fmt: skip
    for index in range(draw(st.integers(0, 3))):
        difference = draw(NUMBERS)
        interval = (draw(NUMBERS.filter(lambda low: low <= difference)), difference)  # noqa: B023
        base = base.with_result(result(base, f"d{index}", difference=difference, interval=interval))
    return base


@given(card=cards())
def test_a_card_comes_back_as_it_was(card: Card) -> None:
    assert read_card(card.model_dump_json(), "card.json") == card


def plain(**values: Any) -> str:
    return json.dumps({**CARD.model_dump(mode="json"), **values})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (plain(colour="red"), "colour: Extra inputs are not permitted"),
        (plain(format=2), "format: Input should be 1"),
        (plain(training={**TRAINING, "steps": -1}), "training.steps: Input should be greater than or equal to 0"),
        (plain(weights={"sha256": "ab", "bytes": 3}), "weights.sha256: String should match"),
        (plain(goals=["win"]), r"goals\.0: Input should be 'learn'"),
        (plain(name="random"), "name: .*'random' is a classical policy's name"),
        (plain(held_out=[{"domain": "d"}]), r"held_out\.0\.domain: "),
        (json.dumps({"name": "x"}), "family: Field required"),
        ("{", "the card: Invalid JSON"),
        (plain().replace("1.5", "NaN"), "training.seconds: Input should be a finite number"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(AgentError, match=rf"^here/card.json: {message}.*; mend the card"):
        read_card(text, "here/card.json")


@pytest.mark.parametrize("name", ["", "A", "a_b", "a--b", "-a", "a-", "1a", "../a", "a" * 61, "sobol", "ä"])
def test_names_that_no_agent_may_bear(name: str) -> None:
    with pytest.raises(ValueError, match=r"choose another|an agent's name is"):
        checked_name(name)


def test_results_of_other_weights_are_refused() -> None:
    with pytest.raises(AgentError, match=r"result on d0 is of other weights .*measure anew"):
        read_card(plain(held_out=[result(CARD, weights="0" * 64).model_dump(mode="json")]), "card.json")


def test_an_interval_holds_its_difference() -> None:
    with pytest.raises(ValueError, match="interval 1 to 2 does not hold the difference 0"):
        result(CARD, interval=(1.0, 2.0))


def test_a_result_of_the_same_setting_is_replaced_by_one_of_as_many_runs() -> None:
    once = CARD.with_result(result(CARD, gain=1.0))
    assert [each.gain for each in once.with_result(result(CARD, gain=3.0)).held_out] == [3.0]
    assert len(once.with_result(result(CARD, seed=2)).held_out) == 2
    with pytest.raises(AgentError, match=r"has 200 runs on d0 .* more than these 100"):
        once.with_result(result(CARD, runs=100))


def test_where_an_agent_can_be_sent() -> None:
    there = ("slope", "a" * 64, "learn")
    assert CARD.refusal(*there) is None  # type: ignore[arg-type]
    games, _ = tiny(goals=[])
    assert "plays games on tables only" in str(games.refusal(*there))  # type: ignore[arg-type]
    narrow, _ = tiny(goals=["predict"])
    assert narrow.refusal(*there) == "serves the goals predict, and slope asks to learn"  # type: ignore[arg-type]
    special, _ = tiny(domains=[{"name": "slope", "identity": "b" * 64}])
    assert "is a specialist for slope, as that document was" in str(special.refusal(*there))  # type: ignore[arg-type]
    assert special.refusal("slope", "b" * 64, "learn") is None


def test_without_results_nothing_is_shown() -> None:
    assert not CARD.as_good_as_greedy
    assert "0 domains that it was not trained on" in shortfalls(CARD)[0]


def test_enough_results_show_that_it_is_as_good() -> None:
    assert proven(CARD).as_good_as_greedy
    assert shortfalls(proven(CARD)) == []


@pytest.mark.parametrize(
    ("about", "values", "words"),
    [
        ({}, {"runs": 99}, "0 domains .* have 100 runs or more"),
        ({}, {"against": "random"}, "0 domains"),
        ({}, {"difference": -0.03}, r"it gains 0\.985 of what expected-information-gain gains"),
        ({}, {"standard_error": 0.06}, r"95 %: 0\.976 to 1\.024"),  # 1.96 × 0.03 ÷ √6
        ({}, {"other_gain": -1.0}, "0 domains"),
        ({"goals": ["learn"]}, {}, "does not serve the goals discriminate, predict, maximise, minimise"),
        ({"domains": [{"name": "slope", "identity": "b" * 64}]}, {}, "it is a specialist, for slope alone"),
    ],
)
def test_what_is_lacking_is_said(about: dict[str, Any], values: dict[str, Any], words: str) -> None:
    card = proven(tiny(**about)[0], **values)
    assert not card.as_good_as_greedy
    assert any(re.search(words, each) for each in shortfalls(card)), shortfalls(card)


def test_domains_that_it_was_trained_on_do_not_count() -> None:
    domain = result(CARD, "d2").domain.model_dump()
    card = proven(tiny(training={**TRAINING, "domains": [domain]})[0])
    assert len(on_domains(card)) == 5
    assert "5 domains that it was not trained on" in shortfalls(card)[0]
    assert shortfalls(card)[1] == "no domain of these has the goal to discriminate"


def test_one_domain_on_which_it_is_clearly_worse_is_enough() -> None:
    """Better elsewhere does not outweigh it."""
    better = proven(CARD, difference=0.4)
    worse = better.with_result(result(better, "d9", difference=-0.2, standard_error=0.01))
    assert shortfalls(worse) == ["it is clearly worse on d9"]
    barely = better.with_result(result(better, "d9", difference=-0.2, standard_error=0.06))
    assert barely.as_good_as_greedy
    nothing = {"other_gain": -1.0, "difference": -0.2}  # greedy gains nothing there: no ratio, but a difference
    assert "clearly worse on d9" in shortfalls(better.with_result(result(better, "d9", **nothing)))[0]


def test_the_pooled_ratio_by_hand() -> None:
    """Two seeds of one domain count by their runs; two domains alike."""
    card = CARD.with_result(result(CARD, difference=0.1, standard_error=0.04, runs=100))
    card = card.with_result(result(CARD, difference=-0.2, standard_error=0.02, runs=300, seed=2))
    card = card.with_result(result(CARD, "d1", other_gain=4.0, difference=0.4, standard_error=0.08))
    ratio = pooled(on_domains(card))
    assert ratio is not None
    first, second = 1 + (0.25 * 0.1 - 0.75 * 0.2) / 2, 1.1
    errors = ((0.25 * 0.04) ** 2 + (0.75 * 0.02) ** 2) / 4, 0.02**2
    assert ratio.value == pytest.approx((first + second) / 2)
    assert ratio.error == pytest.approx(sum(errors) ** 0.5 / 2)
    assert ratio.low == pytest.approx(ratio.value - 1.96 * ratio.error)
