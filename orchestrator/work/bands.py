"""What each law predicts after so many experiments of a run: bands over one setting, and at the next experiment.

For each law, outcomes y are drawn from p(y | design, law, experiments so far): particles of its belief by their weight,
then noise. The same particles and the same uniform draws serve every design, so that bands are smooth.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from domains import outcomes as outcome_laws
from domains import randomness
from domains.document import Design
from domains.simulators import ExactSimulator
from domains.worlds import DomainModel
from experiments_db import suggestions
from experiments_db.models import OUTSTANDING
from meta_learner.belief import Belief
from orchestrator.job_work import Work
from orchestrator.work.beliefs import OpenedRun, folded, open_run

_DRAWS = 500
_GRID = 61
_LAWS = 8  # the most probable ones are shown
_NEAR = 0.05  # of a range: settings no further from those of the band are taken for the same
_QUANTILES = (0.05, 0.5, 0.95)


def bands(work: Work) -> dict[str, Any] | None:
    """Of a campaign's ``run`` after ``known`` experiments, over the setting ``axis``, the others as in ``at``.

    at: a design by name, None for that of the newest experiment. Returns the grid, per law its probability and the
    quantiles of each outcome over the grid and at the next experiment, and the points measured so far.
    """
    asked = work.arguments
    run = open_run(work, asked["campaign"], asked["run"])
    state = folded(work, run, asked["known"])
    if state is None:
        return None
    work.tell(0.9, "drawing from each law")
    return _told(work, run, state.belief)


def _told(work: Work, run: OpenedRun, belief: Belief) -> dict[str, Any]:
    asked, model = work.arguments, run.model
    made = [row for row in run.history if row.row == run.row and row.step < asked["known"]]
    following = _next(work, run)
    at = asked.get("at") or (made[-1].design if made else following or model.space.to_names(_middle(model)))
    axis = model.space.names.index(asked["axis"])
    around = model.space.from_names(at)
    grid = _grid(model, axis, around)
    points = grid if following is None else torch.cat([grid, model.space.from_names(following)[None]])
    laws = []
    for index, probability in _leading(belief, run.row):
        values = _quantiles(model, predicted(model, belief, run.row, index, points))
        laws.append(
            {
                "name": model.mechanisms[index].name,
                "probability": probability,
                "outcomes": {name: {key: row[: len(grid)] for key, row in of.items()} for name, of in values.items()},
                "next": {name: {key: row[-1] for key, row in of.items()} for name, of in values.items()}
                if following is not None
                else None,
            }
        )
    return {
        "known": asked["known"],
        "axis": asked["axis"],
        "scale": model.space.designs[axis].scale,
        "at": at,
        "grid": [model.space.to_names(design)[asked["axis"]] for design in grid],
        "laws": laws,
        "points": [
            {
                "experiment": row.step + 1,
                "design": row.design,
                "outcome": row.outcome,
                "near": _is_near(model, axis, around, model.space.from_names(row.design)),
            }
            for row in made
        ],
        "next": following,
    }


def predicted(model: DomainModel, belief: Belief, row: int, law: int, designs: Tensor) -> Tensor:
    """Outcomes drawn under one law of a run [draws, designs, outcomes]; designs [designs, columns]."""
    generator = randomness.generator(0)
    uniforms = outcome_laws.inside(randomness.uniform((_DRAWS, len(model.outcome_names), 2), generator))
    if belief.posterior is not None:
        assert isinstance(model.simulator, ExactSimulator)
        laws = torch.full((1, _DRAWS), law)
        statistics = belief.posterior.statistics[row : row + 1]
        return model.simulator.predictive_sample(statistics, laws, designs[None], uniforms)[0]
    population, mechanism = belief.populations[law], model.mechanisms[law]
    chosen = _systematic(population.log_weight[row].exp())
    parameters = {name: value[:, None] for name, value in mechanism.parameters(population.z[row, chosen]).items()}
    spread = uniforms[:, None].expand(_DRAWS, len(designs), *uniforms.shape[1:])
    return mechanism.sample(parameters, designs.expand(_DRAWS, *designs.shape), spread)


def _systematic(weight: Tensor) -> Tensor:
    """Particles by their weight, as evenly as can be [draws]."""
    places = (torch.arange(_DRAWS, dtype=torch.float64) + 0.5) / _DRAWS
    return torch.searchsorted(weight.cumsum(0) / weight.sum(), places).clamp_max(len(weight) - 1)


def _quantiles(model: DomainModel, drawn: Tensor) -> dict[str, dict[str, list[float | None]]]:
    """Per outcome: low, middle, high and mean at each design; None where no draw is finite."""
    drawn = torch.where(drawn.isfinite(), drawn, torch.nan)
    ends = drawn.nanquantile(torch.tensor(_QUANTILES, dtype=torch.float64), dim=0)
    rows = dict(zip(("low", "middle", "high", "mean"), (*ends, drawn.nanmean(dim=0)), strict=True))
    return {
        name: {key: [_finite(value) for value in table[:, column].tolist()] for key, table in rows.items()}
        for column, name in enumerate(model.outcome_names)
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _leading(belief: Belief, row: int) -> Sequence[tuple[int, float]]:
    """The most probable laws with their probabilities, in the domain's order."""
    probability = belief.log_probability[row].exp()
    most = probability.argsort(descending=True, stable=True)[:_LAWS].sort().values.tolist()
    return [(index, probability[index].item()) for index in most]


def _grid(model: DomainModel, axis: int, around: Tensor) -> Tensor:
    """Designs over one setting that the domain allows [designs, columns]; all others as they are ``around``."""
    ranged = model.space.designs[axis].kind in ("real", "integer")
    cells = _GRID if ranged else _count(model.space.designs[axis])
    unit = model.space.encode(around).expand(cells, -1).clone()
    middles = (torch.arange(cells, dtype=torch.float64) + 0.5) / cells
    unit[:, axis] = torch.linspace(0, 1, cells, dtype=torch.float64) if ranged else middles
    designs = around.expand(cells, -1).clone()
    designs[:, axis] = model.space.decode(unit)[:, axis]
    designs = designs.unique(dim=0) if model.space.designs[axis].kind == "integer" else designs
    allowed = designs[model.space.feasible(designs)]
    return allowed if len(allowed) else around[None]


def _count(design: Design) -> int:
    return len(design.values or design.options)


def _middle(model: DomainModel) -> Tensor:
    return model.space.decode(torch.full((len(model.space.names),), 0.5, dtype=torch.float64))


def _is_near(model: DomainModel, axis: int, around: Tensor, design: Tensor) -> bool:
    """Whether a design has the settings of the band, but for the one that it runs over."""
    apart = (model.space.encode(design) - model.space.encode(around)).abs()
    apart[axis] = 0.0
    return bool((apart <= _NEAR).all())


def _next(work: Work, run: OpenedRun) -> dict[str, Any] | None:
    """The design of the experiment after those known: as recorded, or as suggested; None where there is none yet."""
    known = work.arguments["known"]
    for row in run.history:
        if row.row == run.row and row.step == known:
            return row.design
    with work.database.read() as session:
        waiting = suggestions.suggestions(session, block_id=run.block.id, statuses=OUTSTANDING)
    wanted = work.arguments.get("suggestion")
    named = [entry for entry in waiting if wanted is None or entry.id == wanted]
    return (named[0].used or named[0].design) if named else None
