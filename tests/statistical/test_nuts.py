"""Particles against NUTS. Needs the extra; a finer report: python -m tests.benchmarks.nuts."""

import pytest

pytest.importorskip("pyro", reason="needs the extra: pip install -e '.[peers]'")

from tests.benchmarks import nuts


@pytest.mark.statistical
@pytest.mark.timeout(900)
def test_quantiles_agree_with_an_independent_sampler() -> None:
    """Pharmacokinetics, posterior by hand: 15 quantiles at α = 1e-4 together (Bonferroni), 8 runs of 2,000 particles.

    Sees a shift of half a posterior standard deviation, or of the spread by as much at a tail quantile.
    """
    problem = nuts.PROBLEMS["pharmacokinetics"]
    chains = nuts.nuts(problem, chains=4, warmup=150, draws=300)
    assert chains.rhat < 1.05
    row = nuts.compare(problem, chains, count=2000, runs=8)
    assert row.p > nuts.ALPHA, row
    assert row.standard_error < 0.15, "too coarse to see anything"
