"""Report: how fast and how exact domains are simulated, on one core. Run with: python -m tests.benchmarks.simulation

Three tables: experiments simulated and judged a second, for every domain of the catalogue; compiled expressions against
the same formulas written by hand; laws with dynamics against scipy's fine solutions. ``--json`` prints a line a row.
Speeds are the best of several repetitions, since whatever else runs can only slow them.
"""

import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from domains import catalogue
from domains.compiler import compile_expression
from domains.expressions import parse
from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.streams import stream
from tests.domains.fine_solutions import relative_errors

ALGEBRAIC_RUNS, DYNAMIC_RUNS, PYTHON_RUNS = 1_000_000, 50_000, 10_000
MOST_LAWS = 6  # whose likelihoods are timed
TABLE = (25, 500, 20)  # runs, particles, designs of the likelihood's table
DYNAMIC_TABLE = (5, 200, 20)
DRAWS = 100  # of the prior, for the accuracy of dynamics
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Speed:
    """Experiments simulated a second, and likelihoods of one experiment under one particle a second."""

    domain: str
    laws: str
    simulated: float
    likelihoods: float


@dataclass(frozen=True)
class Overhead:
    """Time of a compiled expression ÷ time of the same formula by hand, on the same tensors."""

    law: str
    size: int
    ratio: float


@dataclass(frozen=True)
class Accuracy:
    """Relative errors of all outcome arguments of a law over prior draws, each with a random design."""

    domain: str
    law: str
    draws: int
    worst: float
    share_above_tolerance: float


Formula = tuple[str, str, Callable[..., Tensor]]
FORMULAS: Sequence[Formula] = (  # name, expression, the same by hand in the order of its names
    (
        "mixed inhibition",
        "v * s / (km * (1 + i / ki) + s * (1 + i / (alpha * ki)))",
        lambda v, s, km, i, ki, alpha: v * s / (km * (1 + i / ki) + s * (1 + i / (alpha * ki))),
    ),
    (
        "two sources",
        "log(0.1 + 1 / (1e-4 + (a - x)**2 + (b - y)**2) + 1 / (1e-4 + (c - x)**2 + (d - y)**2))",
        lambda a, x, b, y, c, d: torch.log(
            0.1 + 1 / (1e-4 + (a - x) ** 2 + (b - y) ** 2) + 1 / (1e-4 + (c - x) ** 2 + (d - y) ** 2)
        ),
    ),
    (
        "one compartment",
        "dose / v * ka / (ka - ke) * (exp(-ke * t) - exp(-ka * t))",
        lambda dose, v, ka, ke, t: dose / v * ka / (ka - ke) * (torch.exp(-ke * t) - torch.exp(-ka * t)),
    ),
    ("power of time", "learned * (1 + t)**(-b)", lambda learned, t, b: learned * (1 + t) ** (-b)),
    ("Hill", "1 / (1 + (half / dose)**n)", lambda half, dose, n: 1 / (1 + (half / dose) ** n)),
    (
        "umbrella",
        "best * exp(-0.5 * (log(dose / peak) / width)**2)",
        lambda best, dose, peak, width: best * torch.exp(-0.5 * (torch.log(dose / peak) / width) ** 2),
    ),
    ("dry friction", "max(a - loss * t, 0)", lambda a, loss, t: (a - loss * t).clamp_min(0.0)),
    (
        "psychometric",
        "0.5 + 0.5 * (1 - lapse) * normcdf(slope * log(c / m))",
        lambda lapse, slope, c, m: 0.5 + 0.5 * (1 - lapse) * torch.special.ndtr(slope * torch.log(c / m)),
    ),
)


def seconds(work: Callable[[], object], repetitions: int = 5) -> float:
    """The shortest of several times, after one to warm up."""
    work()
    times = []
    for _ in range(repetitions):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def speed(name: str) -> Speed:
    """Worlds, designs and parameters are drawn beforehand: what is timed is the experiment and its likelihood."""
    model = DomainModel(find(name))
    dynamic = any(mechanism.dynamics is not None for mechanism in model.domain.mechanisms)
    runs = PYTHON_RUNS if model.simulator else DYNAMIC_RUNS if dynamic else ALGEBRAIC_RUNS
    worlds = model.draw_worlds(runs, stream(0, 0, 0, "world"))
    designs = model.space.uniform(runs, stream(0, 0, 0, "design"))
    repetitions = 2 if dynamic else 5
    simulating = seconds(lambda: model.simulate(worlds, designs, stream(0, 0, 0, "noise")), repetitions)
    laws = range(0, len(model.mechanisms), -(-len(model.mechanisms) // MOST_LAWS))
    judging = sum(_judging(model, law, DYNAMIC_TABLE if dynamic else TABLE) for law in laws)
    terms = math.prod(DYNAMIC_TABLE if dynamic else TABLE) * len(laws)
    kind = "Python" if model.simulator else "ODE" if dynamic else "algebraic"
    return Speed(name, kind, runs / simulating, terms / judging)


def _judging(model: DomainModel, index: int, shape: tuple[int, int, int]) -> float:
    """Seconds for a table of likelihoods [runs, particles, designs] under one law."""
    runs, particles, count = shape
    law = model.mechanisms[index]
    values = law.parameters(law.sample_prior((runs, particles), stream(0, 0, 0, "prior")))
    parameters = {name: value[..., None] for name, value in values.items()}
    designs = model.space.uniform(runs * count, stream(0, 0, 0, "design"))
    worlds = model.draw_worlds(runs * count, stream(0, 0, 0, "world"))
    outcomes = model.simulate(worlds, designs, stream(0, 0, 0, "noise"))
    table = designs.reshape(runs, 1, count, -1), outcomes.reshape(runs, 1, count, -1)
    return seconds(lambda: law.log_likelihood(parameters, *table), 2)


def overhead(formula: Formula, size: int) -> Overhead:
    """The two take turns, so that what else runs slows both."""
    name, text, by_hand = formula
    expression = parse(text)
    order = by_hand.__code__.co_varnames[: by_hand.__code__.co_argcount]
    generator = stream(0, 0, 0, "prior")
    environment = {key: 0.5 + torch.rand(size, generator=generator, dtype=torch.float64) for key in order}
    compiled = compile_expression(expression)
    values = [environment[key] for key in order]
    torch.testing.assert_close(compiled(environment), by_hand(*values))
    repeat = max(1, 200_000 // size)

    def ours() -> None:
        for _ in range(repeat):
            compiled(environment)

    def theirs() -> None:
        for _ in range(repeat):
            by_hand(*values)

    turns = [(seconds(ours, 1), seconds(theirs, 1)) for _ in range(9)]
    return Overhead(name, size, min(a for a, _ in turns) / min(b for _, b in turns))


def accuracy(name: str) -> list[Accuracy]:
    """Every law of a domain with dynamics."""
    model = DomainModel(find(name))
    rows = []
    for law in model.mechanisms:
        errors = relative_errors(model, law, DRAWS, seed=0)
        above = (errors > TOLERANCE).double().mean().item()
        rows.append(Accuracy(name, law.name, DRAWS, errors.max().item(), above))
    return rows


def _show(row: Speed | Overhead | Accuracy) -> None:
    if "--json" in sys.argv[1:]:
        print(json.dumps({"table": type(row).__name__.lower(), **asdict(row)}), flush=True)
        return
    cells = [f"{value:>12.4g}" if isinstance(value, float) else f"{value!s:<24}" for value in asdict(row).values()]
    print(" ".join(cells), flush=True)


def main() -> None:
    """Print the tables, a row as it is measured."""
    torch.set_num_threads(1)
    dynamic = []
    for name in catalogue.names():
        row = speed(name)
        dynamic += [name] if row.laws == "ODE" else []
        _show(row)
    for formula in FORMULAS:
        for size in (1_000, 100_000, 1_000_000):
            _show(overhead(formula, size))
    for name in dynamic:
        for found in accuracy(name):
            _show(found)


if __name__ == "__main__":
    main()
