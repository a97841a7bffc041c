"""Recipes: those that come with Organon hold, and what is wrong is named."""

from pathlib import Path

import pytest

from domains.errors import DomainError
from meta_learner.training.decisions import RandomDomains
from meta_learner.training.recipe import read_recipe, shipped
from meta_learner.training.tasks import Tables

GOOD = "name: mine\nimitate: {steps: 4}\ntables: [{hypotheses: [6]}]\n"


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return read_recipe(str(path))


@pytest.mark.parametrize("name", shipped())
def test_shipped_recipes_hold_out_every_real_domain(name: str) -> None:
    recipe = read_recipe(name)
    plan = recipe.plan()
    assert plan.steps > 0
    assert {type(task) for _, task in plan.tasks} == {Tables, RandomDomains}
    assert sum(weight for weight, _ in plan.tasks) == pytest.approx(recipe.weight)
    assert len(recipe.in_words()) == len(recipe.tables) + len(recipe.random_domains)


def test_games_ask_for_predictions_where_there_are_values_only(tmp_path: Path) -> None:
    plan = read(tmp_path, GOOD).plan()  # type: ignore[attr-defined]
    tables = [task for _, task in plan.tasks]
    assert {task.goal for task in tables if task.size.answers} == {"decision", "prediction"}
    assert {task.goal for task in tables if not task.size.answers} == {"information", "decision"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "this is no YAML"),
        ("name: mine\n", "imitate: Field required"),
        (GOOD + "sed: 3\n", "sed: Extra inputs are not permitted"),
        (GOOD.replace("[6]", "[1]"), r"tables.0.hypotheses.0: Input should be greater than or equal to 2"),
        ("name: mine\nimitate: {steps: 4}\n", "nothing to train on"),
        ("name: mine\nimitate: {steps: 4}\nrandom-domains: [{}]\nimprove: {steps: 2}\n", "improve needs games to play"),
        (GOOD + "network: {width: 10, heads: 4}\n", "width 10 is no multiple of 4 heads"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DomainError, match=says):
        read(tmp_path, text)
