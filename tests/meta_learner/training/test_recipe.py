"""Recipes: those that come with Organon hold, and what is wrong is named."""

from pathlib import Path

import pytest
import torch

from domains.errors import DomainError
from meta_learner.training.decisions import KnownDomains, RandomDomains
from meta_learner.training.planned import planned
from meta_learner.training.recipe import TrainingRecipe, read_recipe, shipped
from meta_learner.training.tasks import Tables

GOOD = "name: mine\nimitate: {steps: 4}\ntables: [{hypotheses: [6]}]\n"


def read(tmp_path: Path, text: str) -> TrainingRecipe:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return read_recipe(str(path))


@pytest.mark.parametrize("name", shipped())
def test_shipped_recipes_hold_out_every_real_domain(name: str) -> None:
    recipe = read_recipe(name)
    plan = planned(recipe)
    assert plan.steps > 0
    assert {type(task) for _, task in plan.tasks} == {Tables, RandomDomains}
    assert sum(weight for weight, _ in plan.tasks) == pytest.approx(recipe.weight)
    assert len(recipe.in_words()) == len(recipe.tables) + len(recipe.random_domains)


def test_games_ask_for_predictions_where_there_are_values_only(tmp_path: Path) -> None:
    plan = planned(read(tmp_path, GOOD))
    tables = [task for _, task in plan.tasks]
    assert {task.goal for task in tables if task.size.answers} == {"decision", "prediction"}
    assert {task.goal for task in tables if not task.size.answers} == {"information", "decision"}


def test_domains_are_trained_on_by_name_and_told(tmp_path: Path) -> None:
    text = GOOD + "domains: [{names: [ces, okuns-law], weight: 3}]\nheld-out: {fields: [medicine]}\n"
    recipe = read(tmp_path, text)
    weight, task = planned(recipe).tasks[-1]
    assert (weight, type(task)) == (3.0, KnownDomains)
    assert [document.name for document in recipe.documents()] == ["ces", "okuns-law"]
    assert recipe.in_words()[-1] == "75%: decisions in ces, okuns-law"


def test_a_recipe_kept_before_a_new_key_was_known_is_the_same(tmp_path: Path) -> None:
    recipe = read(tmp_path, GOOD)
    kept = recipe.model_dump(mode="json", by_alias=True)
    del kept["curriculum"], kept["held-out"]
    assert recipe.is_that_of(kept)
    assert not recipe.is_that_of({**kept, "seed": 7})
    assert not recipe.is_that_of({**kept, "sed": 7})


def test_the_mix_of_goals_is_the_recipes(tmp_path: Path) -> None:
    recipe = read(tmp_path, "name: mine\nimitate: {steps: 4}\nrandom-domains: [{goals: {maximise: 1}}]\n")
    ((_, task),) = planned(recipe).tasks
    generator = torch.Generator().manual_seed(1)
    assert {task.model(generator).domain.goal.kind for _ in range(8)} == {"maximise"}


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
        (GOOD + "curriculum: 2\n", "curriculum: Input should be less than or equal to 1"),
        (GOOD + "precision: half\n", "precision: Input should be 'single' or 'mixed'"),
        (GOOD + "domains: [{names: []}]\n", "domains.0.names: Tuple should have at least 1 item"),
        (GOOD + "domains: [{names: [enzyme-kinetcs]}]\n", "enzyme-kinetcs"),
        (
            GOOD + "domains: [{names: [okuns-law, ces]}]\nheld-out: {fields: [macroeconomics]}\n",
            r"domains.0.names: okuns-law .macroeconomics. is held out; take it out of one of the two",
        ),
        (GOOD + "random-domains: [{goals: {win: 1}}]\n", "random-domains.0.goals.win"),
        (
            GOOD + "random-domains: [{goals: {predict: 1}}]\n",
            "random-domains.0.goals: .* add learn, maximise or minimise",
        ),
        (GOOD + "random-domains: [{seeds: [5, 5]}]\n", "random-domains.0.seeds: from 5 to before 5 there is no seed"),
        (GOOD + "random-domains: [{shift: [2, 1]}]\n", "random-domains.0.shift: the range runs from 2 to 1"),
        (
            GOOD + "domains: [{names: [ces], shift: [0, 9]}]\n",
            "domains.0.shift.1: Input should be less than or equal to 5",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DomainError, match=says):
        read(tmp_path, text)
