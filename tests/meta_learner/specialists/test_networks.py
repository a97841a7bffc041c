"""The families' networks: what they may look at, what does not matter to them, and how MAML adapts."""

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from domains import randomness
from domains.errors import DomainError
from meta_learner.specialists import SPECIALISTS, Specialist, build, card, from_card
from meta_learner.specialists.episodes import Episodes
from meta_learner.specialists.features import Tokens
from meta_learner.specialists.maml import MAML
from meta_learner.specialists.network import Decision
from tests.meta_learner.specialists.worlds import both, line, mixed

ROWS, STEPS = 5, 4
SMALL = {"maml": {"width": 8, "probes": 3}, "scratch": {"width": 16}}


def shaken(name: str, options: dict[str, object] | None = None) -> Specialist:
    """A network for the mixed domain whose heads say something."""
    network = build(name, mixed(), SMALL.get(name, {}) | (options or {}), seed=1)
    noise = randomness.generator(2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * randomness.normal(parameter.shape, noise).to(parameter.dtype))
    return network


def histories(seed: int = 4) -> Episodes:
    """Random experiments of the mixed domain; one outcome is missing."""
    model = mixed()
    found = Episodes(model, episodes=ROWS, contrasts=3, generator=randomness.generator(seed))
    draws = randomness.generator(seed + 1)
    cheap = torch.tensor([1.0, 1.0, 1.0, 1.0], dtype=torch.float64)
    for _ in range(STEPS):
        designs = model.space.uniform(ROWS, draws)
        found.step(torch.cat([designs[:, :1].clamp_max(3), cheap[:1].expand(ROWS, 1), designs[:, 2:]], dim=1))
    found.history.outcomes[2, 1, 0] = torch.nan
    return found


def tokens_of(network: Specialist, found: Episodes) -> Tokens:
    return network.featuriser(found.history, found.remaining)


def numbers(decision: Decision) -> Tensor:
    """All that a decision says, side by side."""
    return torch.cat([decision.mean, decision.log_sd, *decision.logits, decision.value[..., None]], dim=-1)


@pytest.mark.parametrize("name", SPECIALISTS)
def test_a_decision_at_every_step_from_what_was_known_then(name: str) -> None:
    network, found = shaken(name), histories()
    tokens = tokens_of(network, found)
    assert tokens.experiment.shape == (ROWS, STEPS + 1, 5 + 2 * 2)  # three settings, two options; two outcomes
    decisions = network(tokens)
    assert decisions.mean.shape == (ROWS, STEPS + 1, 3)
    assert [logits.shape for logits in decisions.logits] == [(ROWS, STEPS + 1, 2)]
    assert decisions.value.shape == (ROWS, STEPS + 1)
    for known in range(STEPS + 1):
        few = Tokens(*(getattr(tokens, field)[:, : known + 1] for field in Tokens.__dataclass_fields__))
        torch.testing.assert_close(numbers(network.latest(few)), numbers(decisions)[:, known], atol=1e-5, rtol=1e-5)
    spread = numbers(decisions)[..., [0, 1, 2, -1]].std(0)[-1]
    assert (spread > 1e-3).all()  # and it does look at them


@pytest.mark.parametrize("name", SPECIALISTS)
def test_what_is_chosen_follows_from_the_experiments_not_from_the_truth(name: str) -> None:
    """Two batches of other worlds, made to have the same designs and outcomes: the same decisions; with other
    outcomes: others."""
    network, found, other = shaken(name), histories(4), histories(40)
    mine, theirs = (numbers(network.latest(tokens_of(network, each))) for each in (found, other))
    assert not torch.allclose(mine, theirs, atol=1e-3)
    other.history, other.remaining = found.history, found.remaining
    assert not torch.equal(other.truth_terms, found.truth_terms)
    assert torch.equal(numbers(network.latest(tokens_of(network, other))), mine)


@pytest.mark.parametrize("name", ["deep-adaptive-design", "maml"])
def test_the_order_of_experiments_does_not_matter(name: str) -> None:
    network, found = shaken(name), histories()
    mine = network.latest(tokens_of(network, found))
    order = torch.tensor([2, 0, 3, 1])
    found.history = replace(
        found.history, designs=found.history.designs[:, order], outcomes=found.history.outcomes[:, order]
    )
    torch.testing.assert_close(numbers(network.latest(tokens_of(network, found))), numbers(mine), atol=1e-5, rtol=1e-5)


def test_the_order_matters_to_a_memory() -> None:
    network, found = shaken("rl2"), histories()
    mine = network.latest(tokens_of(network, found))
    found.history = replace(
        found.history, designs=found.history.designs.flip(1), outcomes=found.history.outcomes.flip(1)
    )
    assert not torch.allclose(numbers(network.latest(tokens_of(network, found))), numbers(mine), atol=1e-3)


@pytest.mark.parametrize("name", SPECIALISTS)
def test_untrained_designs_are_nearly_uniform(name: str) -> None:
    """So that exploration starts as the policy ``random``: means within 0.25 of 0 at sd 1."""
    decision = build(name, mixed(), SMALL.get(name), seed=3)(tokens_of(build(name, mixed()), histories()))
    assert decision.mean.abs().max() < 0.25
    assert (decision.log_sd == 0).all()


@pytest.mark.parametrize("name", SPECIALISTS)
def test_a_card_and_weights_are_the_network(name: str) -> None:
    network, found = shaken(name), histories()
    again = from_card(json.loads(json.dumps(card(network))), mixed())
    again.load_state_dict(network.state_dict())
    assert torch.equal(numbers(again(tokens_of(again, found))), numbers(network(tokens_of(network, found))))
    with pytest.raises(DomainError, match=f"card of {name}: it is for the settings dose, count, heat, strain"):
        from_card(card(network), line())


def test_what_there_is_not_is_said() -> None:
    with pytest.raises(DomainError, match="specialist 'lstm': there is none of that name; there are rl2, transformer"):
        build("lstm", line())
    with pytest.raises(DomainError, match="option 'heads': rl2 has none of that name; it has cell, layers, width"):
        build("rl2", line(), {"heads": 2})


def test_first_weights_are_the_seeds_and_leave_other_draws_alone() -> None:
    before = torch.get_rng_state()
    first, same, other = (build("rl2", both(), seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["value.weight"], other["value.weight"])
    assert torch.equal(torch.get_rng_state(), before)


def maml(**options: object) -> tuple[MAML, Tokens]:
    """In double precision, so that differences can be taken."""
    network = shaken("maml", options).double()
    assert isinstance(network, MAML)
    tokens = tokens_of(network, histories())
    return network, Tokens(*(getattr(tokens, field).double() for field in Tokens.__dataclass_fields__))


def outer(network: MAML, tokens: Tokens) -> Tensor:
    """Something to be differentiated through the inner steps."""
    return numbers(network(tokens)).square().sum()


@pytest.mark.parametrize("head_only", [False, True])
def test_gradients_through_inner_steps_are_those_of_differences(head_only: bool) -> None:
    """Of all of the surrogate's weights, its rate and its probes, along a random direction; without the inner
    gradient's own gradient they are not."""
    network, tokens = maml(head_only=head_only)
    weights = [*network.surrogate.parameters(), network.log_rate, network.probes]
    ways = [randomness.normal(weight.shape, randomness.generator(5 + i)) for i, weight in enumerate(weights)]
    slopes = torch.autograd.grad(outer(network, tokens), weights)
    second = sum(float((slope * way).sum()) for slope, way in zip(slopes, ways, strict=True))
    ends = []
    for size in (1e-6, -2e-6):
        with torch.no_grad():
            for weight, way in zip(weights, ways, strict=True):
                weight.add_(size * way)
            ends.append(float(outer(network, tokens)))
    difference = (ends[0] - ends[1]) / 2e-6
    assert second == pytest.approx(difference, rel=1e-4)
    plain, _ = maml(head_only=head_only, first_order=True)
    first = torch.autograd.grad(outer(plain, tokens), [*plain.surrogate.parameters(), plain.log_rate, plain.probes])
    assert sum(float((s * way).sum()) for s, way in zip(first, ways, strict=True)) != pytest.approx(
        difference, rel=1e-2
    )
    torch.testing.assert_close(outer(plain, tokens), outer(maml(head_only=head_only)[0], tokens))


def test_inner_steps_fit_what_came_back_and_only_the_head_where_told() -> None:
    for head_only in (False, True):
        network, tokens = maml(head_only=head_only)
        examples = network.examples(tokens)
        adapted = network.adapted(*examples)
        for task in range(ROWS):
            own = {name: value[task] for name, value in adapted.items()}
            before = dict(network.surrogate.named_parameters())
            example = [part[task] for part in examples]
            assert network.inner_loss(own, {}, *example) < network.inner_loss(before, {}, *example)
            moved = {name for name, value in own.items() if not torch.equal(value, before[name])}
            assert moved == ({"4.weight", "4.bias"} if head_only else set(before))


def test_without_experiments_nothing_adapts() -> None:
    network, tokens = maml()
    start = Tokens(*(getattr(tokens, field)[:, :1] for field in Tokens.__dataclass_fields__))
    adapted = network.adapted(*network.examples(start))
    for name, value in network.surrogate.named_parameters():
        torch.testing.assert_close(adapted[name], value.expand_as(adapted[name]))


def test_a_window_forgets_what_is_older() -> None:
    network, found = shaken("scratch", {"window": 2}), histories()
    tokens = tokens_of(network, found)
    late = Tokens(*(getattr(tokens, field)[:, -2:] for field in Tokens.__dataclass_fields__))
    assert torch.equal(numbers(network.latest(late)), numbers(network.latest(tokens)))
