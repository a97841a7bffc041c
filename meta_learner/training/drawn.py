"""What a recipe's draws look like, as plain data: for whoever wants to see it before training on it."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from domains import latex, randomness, wording
from domains.document import Design
from domains.worlds import DomainModel, Worlds
from meta_learner.streams import stream
from meta_learner.training.decisions import Decisions, RandomDomains
from meta_learner.training.planned import planned
from meta_learner.training.recipe import TrainingRecipe
from meta_learner.training.tasks import Tables, Task

_LAWS, _HYPOTHESES, _DESIGNS, _OUTCOMES = 6, 48, 32, 8  # that are shown, at most
_GRID, _WORLDS = 25, 200
_LEVELS = (0.05, 0.5, 0.95)
Plain = dict[str, Any]


def draws(recipe: TrainingRecipe, seed: int, count: int) -> Iterator[Plain]:
    """``count`` tasks as a training would meet them, drawn by the recipe's weights with a seed of the viewer's own."""
    tasks = [(weight, task) for weight, task in planned(recipe).tasks if weight > 0]
    weights = torch.tensor([weight for weight, _ in tasks], dtype=torch.float64)
    for index in range(count):
        generator = stream(seed, index, 0, "training")
        which = int(randomness.choices(weights, 1, generator))
        yield _drawn(tasks[which][1], generator)


def _drawn(task: Task, generator: torch.Generator) -> Plain:
    if isinstance(task, Tables):
        return _table(task, generator)
    assert isinstance(task, Decisions)
    return {"random": isinstance(task, RandomDomains), **_domain(task.model(generator), generator)}


def _table(task: Tables, generator: torch.Generator) -> Plain:
    """A game: p(outcome | hypothesis, design) [designs][hypotheses][outcomes], of the first hypotheses and designs."""
    games = task.draw(1, generator)
    size = task.size
    shown = games.outcomes[0, :_DESIGNS, :_HYPOTHESES, :_OUTCOMES]
    return {
        "kind": "table",
        "table": task.kind,
        "goal": task.goal,
        "hypotheses": size.hypotheses,
        "designs": size.designs,
        "outcomes": size.outcomes,
        "experiments": size.experiments,
        "ahead": task.ahead,
        "budget": round(float(games.budget[0]), 3),
        "cost": _rounded(games.cost[0, :_DESIGNS]),
        "prior": _rounded(games.prior[0, :_HYPOTHESES]),
        "target": games.target[0, :_HYPOTHESES].tolist(),
        "probability": [[_rounded(row) for row in design] for design in shown],
    }


def _domain(model: DomainModel, generator: torch.Generator) -> Plain:
    domain = model.domain
    laws = domain.mechanisms[:_LAWS]
    return {
        "kind": "domain",
        "name": domain.name,
        "title": domain.title,
        "field": domain.field,
        "goal": wording.goal(domain),
        "budget": domain.budget,
        "laws": [{"name": law.name, "label": law.label or law.name, "latex": latex.law(law)} for law in laws],
        "more_laws": len(domain.mechanisms) - len(laws),
        "outcomes_latex": latex.outcomes(domain),
        "predictive": predictive(model, generator),
    }


def predictive(model: DomainModel, generator: torch.Generator) -> Plain:
    """The prior-predictive of the first outcome over the first design, the other designs in their middle: the 5 %,
    50 % and 95 % quantiles under each law. Points where too few outcomes come back have None."""
    domain, first = model.domain, model.domain.designs[0]
    designs = _along(model, first)
    outcome = domain.outcomes[0]
    column = model.columns_of(outcome.name)[0]
    laws = [
        {"law": domain.mechanisms[index].name, "quantiles": _quantiles(model, index, designs, column, generator)}
        for index in range(min(_LAWS, len(domain.mechanisms)))
    ]
    places = [model.space.to_names(design)[first.name] for design in designs]
    axes = {"design": _quantity(first), "outcome": {"name": model.outcome_names[column], "unit": outcome.unit}}
    return {**axes, "at": places, "levels": list(_LEVELS), "laws": laws}


def _quantity(design: Design) -> Plain:
    return {"name": design.name, "unit": design.unit}


def _along(model: DomainModel, first: Design) -> Tensor:
    """Designs [places, columns] along the first one; each place once."""
    names = [design.name for design in model.domain.designs]
    unit = torch.full((_GRID, len(names)), 0.5, dtype=torch.float64)
    unit[:, names.index(first.name)] = torch.linspace(0.0, 1.0, _GRID, dtype=torch.float64)
    found = model.space.decode(unit)
    keys = found[:, names.index(first.name)]
    kept = torch.cat([torch.ones(1, dtype=torch.bool), keys[1:] != keys[:-1]])
    return found[kept]


def _quantiles(
    model: DomainModel, index: int, designs: Tensor, column: int, generator: torch.Generator
) -> list[list[float] | None]:
    law = model.mechanisms[index]
    parameters = law.parameters(law.sample_prior((_WORLDS,), generator))
    each = {name: value.repeat(len(designs)) for name, value in parameters.items()}
    count = len(designs) * _WORLDS
    of_all: list[dict[str, Tensor]] = [{} for _ in model.mechanisms]
    of_all[index] = each
    worlds = Worlds(torch.full((count,), index), tuple(of_all))
    outcomes = model.outcomes(worlds, designs.repeat_interleave(_WORLDS, 0), generator)[:, column]
    return [_three(values) for values in outcomes.reshape(len(designs), _WORLDS)]


def _three(values: Tensor) -> list[float] | None:
    finite = values[values.isfinite()]
    if len(finite) < _WORLDS // 2:
        return None
    return [float(f"{value:.5g}") for value in finite.quantile(torch.tensor(_LEVELS, dtype=finite.dtype)).tolist()]


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 4) for value in values.tolist()]
