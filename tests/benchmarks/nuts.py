"""Report: particles against an independent sampler, Pyro's NUTS (Hoffman & Gelman 2014), on domains of the catalogue.

Experiments at Sobol designs are simulated in one world; the belief folds them in, several times with other streams, and
NUTS samples the same posterior from dispersed starts. Compared are five quantiles of every parameter:
(mean over particle runs − NUTS) ÷ √(se² + se²), the particles' standard error from the runs, that of NUTS from the
effective size of the indicator 1{θ ≤ q} (Vehtari et al. 2021), by Welch's test. ``pharmacokinetics`` and
``prey-population`` are written by hand here, likelihood and prior, the latter by the solution of its differential
equation: nothing of ours is in them.

    python -m tests.benchmarks.nuts [DOMAIN …] [--particles 2000 20000] [--runs 20] [--out FILE.json]
"""

import argparse
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from scipy import stats
from torch import Tensor

from domains.loading import find
from domains.mechanisms import MechanismModel
from domains.worlds import DomainModel
from meta_learner.belief import Belief, BeliefSettings, prior_belief
from meta_learner.evaluation import results
from meta_learner.smc import update
from meta_learner.streams import stream

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Pyro's own deprecations
    from pyro.infer import MCMC, NUTS
    from pyro.ops.stats import effective_sample_size, split_gelman_rubin

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
ALPHA = 1e-4
LogPosterior = Callable[[Tensor, Tensor, Tensor], Tensor]  # z [dims], designs, outcomes [experiments, …] → scalar
Draws = dict[str, Tensor]


@dataclass(frozen=True)
class Problem:
    """One domain's law with its experiments, and its log posterior in z as NUTS takes it.

    values: z [..., dims] → name → [...]; starts: draws from the prior [chains, dims].
    """

    domain: str
    experiments: int
    density: LogPosterior | None  # None: our compiled law's, by autograd
    values: Callable[[Tensor], Draws] | None
    starts: Callable[[int, torch.Generator], Tensor] | None


@dataclass(frozen=True)
class Chains:
    """draws: name → [chains, draws]; rhat, the largest, and effective, the least effective size, over parameters."""

    draws: Draws
    rhat: float
    effective: float
    seconds: float


@dataclass(frozen=True)
class Row:
    """One comparison; differences and errors in posterior standard deviations, the largest over quantiles and
    parameters; one_run: the error of a single run of the particles (root mean square over runs)."""

    domain: str
    density: str
    parameters: int
    experiments: int
    nuts_draws: int
    rhat: float
    nuts_effective: float
    particles: int
    runs: int
    difference: float
    standard_error: float
    p: float
    one_run: float
    agrees: bool
    nuts_seconds: float
    particle_seconds: float


def _pharmacokinetics(z: Tensor, designs: Tensor, outcomes: Tensor) -> Tensor:
    """z = (log ka, log ke, log V) ~ N(log(1, 0.1, 20), 0.05); y ~ N(m, 0.01 m² + 0.1)."""
    ka, ke, volume = z.exp()
    time_ = designs[:, 0]
    mean = 400 / volume * ka / (ka - ke) * (torch.exp(-ke * time_) - torch.exp(-ka * time_))
    variance = 0.01 * mean**2 + 0.1
    fit = -0.5 * ((outcomes[:, 0] - mean) ** 2 / variance + variance.log())
    away = z - torch.tensor([1.0, 0.1, 20.0], dtype=torch.float64).log()
    return fit.sum() - 0.5 * (away**2).sum() / 0.05


def _prey(z: Tensor, designs: Tensor, outcomes: Tensor) -> Tensor:
    """z = (log a, log h) ~ N(−1.4, 1.35); prey left after 24 h = (ab + s) ÷ (2ah), s = √((ab)² + 4ah),
    b = h n0 − 1/(a n0) − 24; where ab < 0 as 2 ÷ (s − ab), which does not cancel."""
    a, h = z.exp()
    start = designs[:, 0]
    ab = a * (h * start - 24) - 1 / start
    root = (ab**2 + 4 * a * h).sqrt()
    left = torch.where(ab > 0, (ab.clamp_min(0) + root) / (2 * a * h), 2 / (root - ab.clamp_max(0)))
    share = ((start - left) / start).clamp(1e-12, 1 - 1e-12)
    eaten = outcomes[:, 0]
    fit = eaten * share.log() + (start - eaten) * torch.log1p(-share)
    return fit.sum() - 0.5 * (((z + 1.4) / 1.35) ** 2).sum()


def _named(*names: str) -> Callable[[Tensor], Draws]:
    return lambda z: dict(zip(names, z.unbind(-1), strict=True))


def _normal(centre: list[float], sd: float) -> Callable[[int, torch.Generator], Tensor]:
    mean = torch.tensor(centre, dtype=torch.float64)
    return lambda count, generator: (
        mean + sd * torch.randn((count, len(mean)), generator=generator, dtype=torch.float64)
    )


PROBLEMS = {
    problem.domain: problem
    for problem in (
        Problem(
            "pharmacokinetics",
            10,
            _pharmacokinetics,
            _named("log_ka", "log_ke", "log_v"),
            _normal([0.0, math.log(0.1), math.log(20)], math.sqrt(0.05)),
        ),
        Problem("prey-population", 10, _prey, _named("log_a", "log_h"), _normal([-1.4, -1.4], 1.35)),
        Problem("theophylline", 12, None, None, None),
    )
}


def experiments(model: DomainModel, count: int) -> tuple[Tensor, Tensor]:
    """Sobol designs [count, columns] and their outcomes [count, outcomes] in one world of the first law."""
    designs = model.space.sobol(count, stream(0, 0, 0, "design"))
    law = model.mechanisms[0]
    z = law.sample_prior((1,), stream(0, 0, 0, "world"))
    parameters = law.parameters(z)
    uniforms = torch.rand((count, len(model.outcome_names), 2), generator=stream(0, 0, 0, "noise"), dtype=torch.float64)
    return designs, law.sample(parameters, designs, uniforms)


def compiled_density(law: MechanismModel) -> LogPosterior:
    """Our own law's log prior + log likelihood."""

    def density(z: Tensor, designs: Tensor, outcomes: Tensor) -> Tensor:
        parameters = {name: value[None] for name, value in law.parameters(z).items()}
        return law.log_prior(z) + law.log_likelihood(parameters, designs, outcomes).sum()

    return density


def nuts(problem: Problem, *, chains: int, warmup: int, draws: int) -> Chains:
    """Chains from dispersed starts, one after the other."""
    model = DomainModel(find(problem.domain))
    law = model.mechanisms[0]
    designs, outcomes = experiments(model, problem.experiments)
    density = problem.density or compiled_density(law)
    generator = stream(1, 0, 0, "prior")
    starts = problem.starts(chains, generator) if problem.starts else law.sample_prior((chains,), generator)
    started = time.thread_time()
    found = []
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for chain, start in enumerate(starts):
            torch.manual_seed(chain)
            kernel = NUTS(potential_fn=lambda place: -density(place["z"], designs, outcomes))
            sampler = MCMC(
                kernel, num_samples=draws, warmup_steps=warmup, initial_params={"z": start}, disable_progbar=True
            )
            sampler.run()
            found.append(sampler.get_samples()["z"])
    values = (problem.values or law.parameters)(torch.stack(found))
    rhat = max(split_gelman_rubin(value).item() for value in values.values())
    effective = min(effective_sample_size(value).item() for value in values.values())
    return Chains(values, rhat, effective, time.thread_time() - started)


def particles(problem: Problem, *, count: int, runs: int) -> tuple[Draws, Tensor]:
    """``runs`` independent beliefs about the same experiments: name → [runs, particles], log weights."""
    model = DomainModel(find(problem.domain))
    designs, outcomes = experiments(model, problem.experiments)
    settings = BeliefSettings(particles=count)
    belief: Belief = prior_belief(model, runs, settings, stream(2, 0, 0, "prior"))
    for step in range(problem.experiments):
        here = designs[step].expand(runs, -1), outcomes[step].expand(runs, -1)
        belief = update(model, belief, *here, settings=settings, generator=stream(2, 0, step, "update"))
    population = belief.populations[0]
    return dict(model.mechanisms[0].parameters(population.z)), population.log_weight


def quantiles(values: Tensor, log_weight: Tensor) -> Tensor:
    """Weighted quantiles at SHARES [runs, shares] of values [runs, particles]."""
    ordered, order = values.sort(dim=-1)
    cumulative = log_weight.exp().gather(-1, order).cumsum(-1)
    cumulative = (cumulative / cumulative[:, -1:]).contiguous()
    shares = torch.tensor(SHARES, dtype=torch.float64).expand(len(values), -1).contiguous()
    return ordered.gather(-1, torch.searchsorted(cumulative, shares).clamp_max(values.shape[-1] - 1))


def chain_quantiles(draws: Tensor) -> tuple[Tensor, Tensor]:
    """Quantiles at SHARES and their standard errors [shares], of draws [chains, draws].

    The error is half the distance between the quantiles at the 15.9 % and 84.1 % points of
    Beta(S p + 1, S (1 − p) + 1), S the effective size of 1{θ ≤ q}.
    """
    pooled = draws.flatten()
    places = torch.tensor(SHARES, dtype=torch.float64)
    values = pooled.quantile(places)
    errors = []
    for share, value in zip(SHARES, values, strict=True):
        size = min(effective_sample_size((draws <= value).to(torch.float64)).item(), float(draws.numel()))
        ends = stats.beta.ppf([0.1587, 0.8413], size * share + 1, size * (1 - share) + 1)
        low, high = pooled.quantile(torch.tensor(ends, dtype=torch.float64))
        errors.append((high - low) / 2)
    return values, torch.stack(errors)


def compare(problem: Problem, chains: Chains, *, count: int, runs: int) -> Row:
    """The particles' quantiles beside those of NUTS."""
    started = time.thread_time()
    values, log_weight = particles(problem, count=count, runs=runs)
    seconds = (time.thread_time() - started) / runs
    differences, own_errors, reference_errors, alone = [], [], [], []
    for name, draws in chains.draws.items():
        reference, reference_error = chain_quantiles(draws)
        own, sd = quantiles(values[name], log_weight), draws.std()
        differences.append((own.mean(0) - reference) / sd)
        own_errors.append(own.std(0) / sd / math.sqrt(runs))
        reference_errors.append(reference_error / sd)
        alone.append(own.std(0) / sd)
    difference, own_error = torch.cat(differences), torch.cat(own_errors)
    error = (own_error.square() + torch.cat(reference_errors).square()).sqrt()
    freedom = (runs - 1) * (error / own_error) ** 4  # Welch–Satterthwaite, the error of NUTS taken as known
    p = 2 * stats.t.sf((difference / error).abs().numpy(), freedom.numpy())
    smallest = min(1.0, float(p.min()) * len(p))
    return Row(
        domain=problem.domain,
        density="by hand" if problem.density else "compiled law",
        parameters=len(chains.draws),
        experiments=problem.experiments,
        nuts_draws=next(iter(chains.draws.values())).numel(),
        rhat=chains.rhat,
        nuts_effective=chains.effective,
        particles=count,
        runs=runs,
        difference=difference.abs().max().item(),
        standard_error=error.max().item(),
        p=smallest,
        one_run=torch.cat(alone).max().item(),
        agrees=smallest > ALPHA,
        nuts_seconds=chains.seconds,
        particle_seconds=seconds,
    )


def report(rows: list[Row], settings: dict[str, object]) -> dict[str, object]:
    """The table as JSON."""
    columns = list(Row.__dataclass_fields__)
    return {
        "kind": "nuts",
        "title": "Particles against an independent sampler (NUTS): quantiles of every parameter",
        "columns": columns,
        "rows": [[getattr(row, name) for name in columns] for row in rows],
        "note": "Quantiles 5, 25, 50, 75 and 95 % of every parameter. difference, standard_error (of the difference) "
        "and one_run (the spread of single runs) in posterior standard deviations, each the largest over quantiles and "
        "parameters; p of the largest difference by Welch's test, times the number of comparisons (Bonferroni); agrees "
        f"where it is above {ALPHA:g}. Seconds of CPU: of all chains, and of one run of the particles.",
        **results.provenance(),
        "seed": 0,
        "settings": {**settings, "pyro-ppl": version("pyro-ppl")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("domains", nargs="*", default=list(PROBLEMS))
    parser.add_argument("--particles", type=int, nargs="*", default=[2000, 20000])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--warmup", type=int, default=500)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in options.domains:
        chains = nuts(PROBLEMS[name], chains=options.chains, warmup=options.warmup, draws=options.draws)
        for count in options.particles:
            rows.append(compare(PROBLEMS[name], chains, count=count, runs=options.runs))
            print(rows[-1], flush=True)
    settings = {"chains": options.chains, "draws": options.draws, "warmup": options.warmup, "runs": options.runs}
    if options.out is not None:
        results.save(options.out, report(rows, settings))


if __name__ == "__main__":
    main()
