"""Agents that come with Organon: they load, are small, came of recipes that are here, and saw no real domain."""

import pytest

from domains import catalogue
from meta_learner.agents.loading import load_network
from meta_learner.agents.standing import on_domains
from meta_learner.agents.store import SHIPPED, Store
from meta_learner.training.recipe import read_recipe, shipped

_MOST = 10 * 2**20  # bytes
STORE = Store(SHIPPED)


@pytest.mark.parametrize("name", STORE.names())
def test_a_shipped_agent_is_what_its_card_says(name: str) -> None:
    stored = STORE.find(name)
    load_network(stored)
    assert stored.card.weights.bytes <= _MOST
    assert name in shipped()
    assert read_recipe(name).is_that_of(stored.card.recipe)
    assert stored.card.training.domains == ()


@pytest.mark.parametrize("name", STORE.names())
def test_its_results_are_of_the_catalogue(name: str) -> None:
    found = on_domains(STORE.find(name).card)
    assert found
    assert {domain.name for domain in found} <= set(catalogue.names())
