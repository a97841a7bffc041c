"""The job that simulates what each law of a domain predicts before any experiment, over the range of one design."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from domains import randomness
from domains.document import Design, Domain
from domains.mechanisms import MechanismModel
from domains.outcomes import inside
from domains.worlds import DomainModel
from meta_learner.streams import stream
from orchestrator.errors import RequestError
from orchestrator.job_work import Work
from orchestrator.own_domains import find_domain

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_DRAWS = 1000  # worlds a law; the quantile of 5 % is then known to about ± 0.7 % of probability
_DRAWS_INTEGRATED = 300  # where differential equations are solved for each of them
_POINTS, _POINTS_INTEGRATED = 41, 25  # of a range
_MOST_LAWS = 8
_MOST_ENTRIES = 6  # of a vector that comes back
_SHARES = ("bernoulli", "categorical")  # bands of 0 and 1 show nothing: how often each comes back does


def predict(work: Work) -> dict[str, Any]:
    """Arguments: ``domain``, a name as `orchestrator.own_domains` has it, and ``axis``, one of its designs.

    For every law and every number that comes back, the quantiles over prior draws and noise at each point of the axis,
    the other designs in the middle of their ranges; None where a constraint allows no such design or nothing is finite.
    """
    domain = find_domain(work.database, work.arguments["domain"])
    model = DomainModel(domain)
    column = _column(domain, work.arguments["axis"])
    designs = _designs(model, column)
    allowed = model.space.feasible(designs).tolist()
    laws = _most_probable(model)
    found = []
    for done, index in enumerate(laws):
        work.tell(done / len(laws), f"simulating {model.mechanisms[index].name}")
        found.append(_law(model, index, designs, allowed))
    axis, middle = domain.designs[column], model.space.to_names(designs[len(designs) // 2])
    return {
        "identity": domain.identity,
        "axis": axis.name,
        "at": [model.space.to_names(design)[axis.name] for design in designs],
        "held": {name: value for name, value in middle.items() if name != axis.name},
        "levels": list(LEVELS),
        "laws": found,
        "laws_in_all": len(model.mechanisms),
    }


def _column(domain: Domain, axis: str) -> int:
    names = [design.name for design in domain.designs]
    if axis not in names:
        raise RequestError(f"{domain.name} has no design {axis!r}; it has {', '.join(names)}")
    return names.index(axis)


def _most_probable(model: DomainModel) -> list[int]:
    """The laws that are shown: of more than can be, the likeliest before any experiment, in the document's order."""
    ranked = sorted(range(len(model.mechanisms)), key=lambda index: -model.log_weights[index].item())
    return sorted(ranked[:_MOST_LAWS])


def _integrated(model: DomainModel) -> bool:
    return any(mechanism.dynamics is not None for mechanism in model.domain.mechanisms)


def _designs(model: DomainModel, column: int) -> Tensor:
    """Designs [points, columns] along one axis of the unit cube, all others in its middle."""
    design = model.domain.designs[column]
    points = min(_choices(design) or _POINTS, _POINTS_INTEGRATED if _integrated(model) else _POINTS)
    unit = torch.full((points, len(model.domain.designs)), 0.5, dtype=torch.float64)
    ends = design.kind in ("real", "integer") and points > 1
    steps = torch.arange(points, dtype=torch.float64)
    unit[:, column] = (steps / (points - 1)).clamp_max(1 - 2.0**-53) if ends else (steps + 0.5) / points
    return model.space.decode(unit)


def _choices(design: Design) -> int | None:
    """How many values a design has, None for a continuous one."""
    if design.kind == "real":
        return None
    return int(design.high - design.low) + 1 if design.kind == "integer" else len(design.values or design.options)


def _law(model: DomainModel, index: int, designs: Tensor, allowed: list[bool]) -> dict[str, Any]:
    law = model.mechanisms[index]
    drawn = _outcomes(law, designs, _DRAWS_INTEGRATED if _integrated(model) else _DRAWS, index)
    shown = {}
    for outcome in model.domain.outcomes:
        columns = model.columns_of(outcome.name)
        for column in columns[:: -(-len(columns) // _MOST_ENTRIES)]:
            values = drawn[..., column]
            told = _shares(values, allowed) if outcome.family in _SHARES else _bands(values, allowed)
            shown[model.outcome_names[column]] = {"outcome": outcome.name, **told}
    broken = ~drawn.isfinite().all(-1)[:, torch.tensor(allowed)]
    return {
        "law": law.name,
        "weight": model.log_weights[index].exp().item(),
        "broken": broken.to(torch.float64).mean().item() if broken.numel() else 0.0,
        "outcomes": shown,
    }


def _outcomes(law: MechanismModel, designs: Tensor, draws: int, index: int) -> Tensor:
    """Outcomes [draws, points, outcomes]; a draw has the same noise at every point, so that bands are smooth."""
    parameters = law.parameters(law.sample_prior((draws,), stream(0, 2, index, "world")))
    noise = randomness.uniform((draws, 1, law.outcomes, 2), stream(0, 2, index, "noise"))
    spread: Mapping[str, Tensor] = {name: value[:, None] for name, value in parameters.items()}
    return law.sample(spread, designs, inside(noise).expand(-1, len(designs), -1, -1))


def _bands(values: Tensor, allowed: list[bool]) -> dict[str, Any]:
    """The quantiles [levels][points] of values [draws, points]."""
    finite = torch.where(values.isfinite(), values, torch.nan)
    found = finite.nanquantile(torch.tensor(LEVELS, dtype=torch.float64), dim=0)
    return {"bands": [_plain(row, allowed) for row in found]}


def _shares(values: Tensor, allowed: list[bool]) -> dict[str, Any]:
    """How often each option 0, 1, … comes back: [options][points]."""
    options = range(1, 2) if values.nan_to_num(nan=0.0).max() <= 1 else range(int(values.nan_to_num(nan=0.0).max()) + 1)
    rows = {str(option): _plain((values == option).to(torch.float64).mean(0), allowed) for option in options}
    return {"shares": rows}


def _plain(row: Tensor, allowed: list[bool]) -> list[float | None]:
    return [value if ok and math.isfinite(value) else None for value, ok in zip(row.tolist(), allowed, strict=True)]
