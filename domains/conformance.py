"""What every domain must satisfy to be planned and believed with, as a check that anyone can run.

Made for authors of Python domains (``domains.python_domains``); a document's laws pass it by construction.

>>> from domains.conformance import check_domain
>>> assert check_domain(find("structural-causal")) == []
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from domains import randomness
from domains.document import Domain
from domains.mechanisms import MechanismModel
from domains.outcomes import inside
from domains.simulators import ExactSimulator, Parameters
from domains.worlds import DomainModel

_MECHANISMS = 6  # of many, as many are examined
_DRAWS = 500
_REPEATS = 16  # of every experiment, to see its spread
_GRID = 1201
_FEW = 60  # rows whose densities are integrated
_OFF = 0.01  # nats
_ALPHA = 1e-6  # false alarms of each statistical comparison
_EVIDENCE_DRAWS = 20_000
_LEAST_DRAWS = 500  # effective, for an average over the prior to be judged
_POSTERIOR_DRAWS = 4000


def check_domain(domain: Domain, *, seed: int = 0) -> list[str]:
    """What is wrong with a domain's laws, each in a sentence; empty where nothing is.

    Shapes and broadcasting; that rows do not depend on each other; that missing outcomes tell nothing; that the
    prior's draws have a density; that the likelihood integrates to 1; that sampler and log-likelihood speak of the same
    distribution; and of an exact belief that its evidence is the likelihood averaged over the prior, its predictive the
    ratio of evidences, and its draws, marginals and samples alike.

    Sampler against likelihood: each outcome's value under the distribution that the likelihood implies for it given the
    other outcomes is uniform (Rosenblatt 1952), and its normal quantile z is standard normal: Kolmogorov–Smirnov on the
    one, Σz² on the other, 500 draws at 1e-6 each. A standard deviation that is off by a quarter is seen with
    probability 0.99, a mean that is off by 0.35 standard deviations with 0.96.
    """
    model = DomainModel(domain)
    generator = randomness.generator(seed)
    problems: list[str] = []
    stride = -(-len(model.mechanisms) // _MECHANISMS)
    for law in model.mechanisms[::stride]:
        try:
            problems += [f"mechanism {law.name}: {problem}" for problem in _check_law(_Trial(model, law, generator))]
        except MemoryError:  # of the machine, or the worker's limit: whoever set that says what to do
            raise
        except Exception as error:  # an author's code can raise anything
            problems.append(f"mechanism {law.name}: {type(error).__name__} in a batch: {error}")
    if isinstance(model.simulator, ExactSimulator) and not problems:
        try:
            problems += _check_exact(model, model.simulator, generator)
        except Exception as error:
            problems.append(f"exact belief: {type(error).__name__}: {error}")
    return problems


@dataclass(frozen=True)
class _Trial:
    """One mechanism under examination, at prior draws and random designs."""

    model: DomainModel
    law: MechanismModel
    generator: torch.Generator

    def uniforms(self, *shape: int) -> Tensor:
        width = len(self.model.outcome_names)
        return inside(randomness.uniform((*shape, width, 2), self.generator))


def _check_law(trial: _Trial) -> Iterator[str]:
    law, model = trial.law, trial.model
    z = law.sample_prior((_DRAWS,), trial.generator)
    if not bool(law.log_prior(z).isfinite().all()):
        yield "some draws of its prior have no prior density"
    parameters = law.parameters(z)
    designs = model.space.uniform(_DRAWS, trial.generator)
    outcomes = law.sample(parameters, designs, trial.uniforms(_DRAWS))
    densities = law.log_likelihood(parameters, designs, outcomes)
    wanted = (_DRAWS, len(model.outcome_names))
    if tuple(outcomes.shape) != wanted or tuple(densities.shape) != wanted[:1]:
        shapes = f"{tuple(outcomes.shape)} and {tuple(densities.shape)}"
        yield f"sample and log_likelihood give shapes {shapes}; they must be {wanted} and {wanted[:1]}"
        return
    if (outcomes.dtype, densities.dtype) != (torch.float64, torch.float64):
        yield f"sample and log_likelihood give {outcomes.dtype} and {densities.dtype}; both must be torch.float64"
        return
    if not bool(densities.isfinite().all()):
        yield f"{int((~densities.isfinite()).sum())} of {_DRAWS} outcomes that it gave have no finite log-likelihood"
    yield from _check_rows(trial, parameters, designs, outcomes, densities)
    yield from _check_distribution(trial)


def _check_rows(
    trial: _Trial, parameters: Parameters, designs: Tensor, outcomes: Tensor, densities: Tensor
) -> Iterator[str]:
    """Rows on their own, in an outer product, and missing."""
    few = slice(0, 7)
    row = {name: value[few] for name, value in parameters.items()}
    alone = trial.law.log_likelihood(row, designs[few], outcomes[few])
    if not torch.allclose(alone, densities[few], rtol=1e-9, atol=1e-9):
        yield "the log-likelihood of a row depends on the other rows of its batch"
    column = {name: value[few, None] for name, value in parameters.items()}
    outer = trial.law.log_likelihood(column, designs[None, few], outcomes[None, few])
    if tuple(outer.shape) != (7, 7) or not torch.allclose(outer.diagonal(), densities[few], rtol=1e-9, atol=1e-9):
        yield "parameters [n, 1] and designs [1, n, columns] do not broadcast to a log-likelihood [n, n]"
    noise = trial.uniforms(7)
    if not torch.equal(trial.law.sample(row, designs[few], noise), trial.law.sample(row, designs[few], noise)):
        yield "the same uniform draws give different outcomes; all noise must come from them"
    missing = trial.law.log_likelihood(row, designs[few], torch.full_like(outcomes[few], torch.nan))
    if bool((missing != 0).any()):
        yield "an experiment without any outcome (all NaN) has a log-likelihood other than 0"


@dataclass(frozen=True)
class _Draws:
    """Experiments of one mechanism: parameters name → [rows], designs [rows, columns], outcomes [rows, outcomes]."""

    parameters: Parameters
    designs: Tensor
    outcomes: Tensor

    def only(self, rows: Tensor) -> "_Draws":
        parameters = {name: value[rows] for name, value in self.parameters.items()}
        return _Draws(parameters, self.designs[rows], self.outcomes[rows])


def _check_distribution(trial: _Trial) -> Iterator[str]:
    """Uniformity of each outcome under the conditional distribution that the log-likelihood implies."""
    from scipy import stats  # slow to import, and few domains are examined

    parameters = trial.law.parameters(trial.law.sample_prior((_DRAWS,), trial.generator))
    designs = trial.model.space.uniform(_DRAWS, trial.generator)
    outcomes = [trial.law.sample(parameters, designs, trial.uniforms(_DRAWS)) for _ in range(_REPEATS)]
    draws, spreads = _Draws(parameters, designs, outcomes[0]), torch.stack(outcomes).std(0)
    if not isinstance(trial.model.simulator, ExactSimulator):  # which may leave out what is missing in part
        yield from _check_normalised(trial, draws, spreads)
    if trial.model.domain.goal.kind == "predict":
        yield from _check_expectation(trial, draws)
    for index, name in enumerate(trial.model.outcome_names):
        free = spreads[:, index] > 0  # an outcome that a design fixes has no distribution
        if int(free.sum()) < _DRAWS // 10:
            continue
        place = _conditional(trial, draws.only(free), index, spreads[free, index])
        squares = torch.special.ndtri(inside(place)).square().sum().item()
        spread_p = 2 * min(stats.chi2.cdf(squares, len(place)), stats.chi2.sf(squares, len(place)))
        p = min(stats.kstest(place.cpu().numpy(), "uniform").pvalue, spread_p)
        if p < _ALPHA:
            yield f"outcome {name}: draws do not follow the log-likelihood (p = {p:.1g})"


def _check_expectation(trial: _Trial, draws: _Draws) -> Iterator[str]:
    """Against the mean of repeated experiments at one design."""
    one = draws.only(torch.zeros(_EVIDENCE_DRAWS, dtype=torch.int64))
    outcomes = trial.law.sample(one.parameters, one.designs, trial.uniforms(_EVIDENCE_DRAWS))
    expected = torch.stack(trial.law.expectations(one.parameters, one.designs), dim=-1)[0]
    error = outcomes.std(0) / math.sqrt(_EVIDENCE_DRAWS)
    for index, name in enumerate(trial.model.outcome_names):
        if (outcomes[:, index].mean() - expected[index]).abs() > 6 * error[index] + 1e-9 * expected[index].abs():
            found = outcomes[:, index].mean().item()
            yield f"outcome {name}: expectation gives {expected[index]:.4g} where draws have the mean {found:.4g}"


def _conditional(trial: _Trial, draws: _Draws, index: int, spread: Tensor) -> Tensor:
    """P(Y_i ≤ y_i | the other outcomes) [rows]; of whole numbers randomised at the jump."""
    log_mass, whole = _slice(trial, draws, index, spread)
    mass = (log_mass - log_mass.amax(1, keepdim=True)).exp()
    middle = mass.shape[1] // 2
    below = mass[:, :middle].sum(1)
    share = randomness.uniform(below.shape, trial.generator)
    return (below + (share * mass[:, middle] if whole else 0.0)) / mass.sum(1)


def _slice(trial: _Trial, draws: _Draws, index: int, spread: Tensor) -> tuple[Tensor, bool]:
    """Log masses [rows, cells] of one outcome on a grid about its value, and whether it is a whole number.

    Of whole numbers each cell is one; else cells between grid points, by the trapezoidal rule, with y in the middle.
    """
    y = draws.outcomes[:, index]
    whole = bool((y == y.round()).all())
    if whole:
        reach = int((20 * spread.max() + 20).clamp_max(_GRID // 2).item())
        grid = y[:, None] + torch.arange(-reach, reach + 1, dtype=torch.float64)
    else:
        steps = torch.linspace(-1.0, 1.0, _GRID, dtype=torch.float64)
        grid = y[:, None] + (60 * spread[:, None]) * steps.sign() * steps.abs() ** 3  # fine near y, wide at the ends
    points = draws.outcomes[:, None].expand(-1, grid.shape[1], -1).clone()
    points[..., index] = grid
    columns = {name: value[:, None] for name, value in draws.parameters.items()}
    density = trial.law.log_likelihood(columns, draws.designs[:, None], points)
    if whole:
        return density, True
    return torch.logaddexp(density[:, 1:], density[:, :-1]) + (0.5 * grid.diff(dim=1)).log(), False


def _check_normalised(trial: _Trial, draws: _Draws, spreads: Tensor) -> Iterator[str]:
    """Each outcome integrated out, one after the other: the likelihood without it must be what is left.

    At the end nothing is left, with likelihood 1: so the whole integrates to 1.
    """
    rows = torch.arange(min(_FEW, len(draws.designs)))
    few, spread = draws.only(rows), spreads[rows]
    outcomes = few.outcomes.clone()
    for index, name in enumerate(trial.model.outcome_names):
        free = spread[:, index] > 0
        total, _ = _slice(trial, _Draws(few.parameters, few.designs, outcomes.clone()), index, spread[:, index])
        outcomes[:, index] = torch.nan
        left = trial.law.log_likelihood(few.parameters, few.designs, outcomes)
        error = (total.logsumexp(1) - left)[free].abs()
        if len(error) > 0 and error.median() > _OFF:
            yield (
                f"outcome {name}: its density integrates to the likelihood without it (NaN) times "
                f"{(total.logsumexp(1) - left)[free].median().exp():.3g}, not 1: normalise it, and integrate out what "
                "is missing"
            )
            return


def _check_exact(model: DomainModel, simulator: ExactSimulator, generator: torch.Generator) -> list[str]:
    """The closed form against likelihood and sampler, in a few worlds after a few experiments."""
    runs, steps = 6, 3
    worlds = model.draw_worlds(runs, generator)
    designs = model.space.uniform(runs * steps, generator).reshape(runs, steps, -1)
    outcomes = torch.stack([model.simulate(worlds, designs[:, step], generator) for step in range(steps)], dim=1)
    before = simulator.posterior(designs[:, :-1], outcomes[:, :-1])
    after = simulator.posterior(designs, outcomes)
    mechanism = worlds.mechanism[:, None]
    predicted = simulator.predictive_log_density(
        before.statistics, mechanism, designs[:, -1:], outcomes[:, None, -1:]
    ).flatten()
    gained = (after.log_evidence - before.log_evidence).gather(1, mechanism)[:, 0]
    problems = []
    if not torch.allclose(predicted, gained, rtol=1e-6, atol=1e-6):
        problems.append("predictive_log_density is not the ratio of the evidences that posterior gives")
    evidence = simulator.posterior(designs[:, :1], outcomes[:, :1]).log_evidence.gather(1, mechanism)[:, 0]
    for run in range(runs):
        law = model.mechanisms[int(worlds.mechanism[run])]
        parameters = law.parameters(law.sample_prior((_EVIDENCE_DRAWS,), generator))
        ratio = (law.log_likelihood(parameters, designs[run, 0], outcomes[run, 0]) - evidence[run]).exp()
        error = ratio.std() / math.sqrt(_EVIDENCE_DRAWS)
        telling = ratio.sum().square() / ratio.square().sum() > _LEAST_DRAWS  # else few draws make up the average
        if bool(telling & ((ratio.mean() - 1).abs() > 6 * error)):
            problems.append(
                f"mechanism {law.name}: the evidence that posterior gives is not the likelihood averaged over the "
                f"prior (their ratio is {1 / ratio.mean():.3g}, the error of the average {error:.1g})"
            )
        problems += _check_posterior(model, simulator, before.statistics[run : run + 1], law, designs[run, -1])
    return problems


def _check_posterior(
    model: DomainModel, simulator: ExactSimulator, statistics: Tensor, law: MechanismModel, design: Tensor
) -> Iterator[str]:
    """``draw``, ``marginals`` and ``predictive_sample`` of one run against each other."""
    from scipy import stats

    generator = randomness.generator(0)
    index = model.mechanisms.index(law)
    several = statistics.expand(_POSTERIOR_DRAWS, *statistics.shape[1:])
    drawn, told = simulator.draw(several, index, generator), simulator.marginals(statistics, index)
    if set(drawn) != set(law.names) or set(told) != set(law.names):
        yield f"mechanism {law.name}: draw and marginals must have the parameters {', '.join(law.names)}"
        return
    for name, marginal in told.items():
        for quantile, share in ((marginal.low90, 0.05), (marginal.high90, 0.95)):
            below = (drawn[name] <= quantile).to(torch.float64).mean().item()
            if abs(below - share) > 6 * math.sqrt(0.05 * 0.95 / _POSTERIOR_DRAWS):
                yield f"mechanism {law.name}: {below:.1%} of the draws of {name} are below its {share:.0%} quantile"
    width = len(model.outcome_names)
    noise = inside(randomness.uniform((2, _POSTERIOR_DRAWS, width, 2), generator))
    designs = design.expand(_POSTERIOR_DRAWS, -1)
    indirect = law.sample(drawn, designs, noise[0])
    mechanism = torch.full((1, _POSTERIOR_DRAWS), index)
    direct = simulator.predictive_sample(statistics, mechanism, design[None, None], noise[1])[0, :, 0]
    for column, name in enumerate(model.outcome_names):
        p = stats.ks_2samp(direct[:, column].cpu().numpy(), indirect[:, column].cpu().numpy()).pvalue
        if p < _ALPHA:
            yield f"mechanism {law.name}: predictive_sample and sample of draws give different {name} (p = {p:.1g})"
