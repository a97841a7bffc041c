"""Documents that the tests of the domain layer start from."""

import pytest

# The example of the format's contract, word for word.
EXAMPLE = """\
format: 1
name: enzyme-inhibition                 # kebab-case, the identifier
title: How does this drug slow the enzyme?
field: molecular biology
summary: Which of three inhibition laws holds, and with which constants.
references: ["Cornish-Bowden, Fundamentals of Enzyme Kinetics, 4th ed., ch. 5"]

designs:                                # what the experimenter sets
  substrate: {real: [0.05, 20], scale: log, unit: mM}
  inhibitor: {real: [0, 10], unit: mM}
  enzyme:    {choice: [wild-type, mutant]}
  replicates: {integer: [1, 4]}
constraints: ["substrate + inhibitor <= 25"]     # optional; designs must satisfy all of them

parameters:                             # shared by all mechanisms; a bare number is a constant
  vmax:  {prior: {lognormal: [0.7, 0.5]}, unit: mM/min, label: maximal rate}
  km:    {prior: {lognormal: [0.0, 0.8]}, unit: mM}
  ki:    {prior: {lognormal: [0.0, 1.0]}, unit: mM}
  noise: 0.05

let:                                    # optional, shared by all mechanisms
  v: vmax * where(enzyme == 'mutant', 0.4, 1.0)

mechanisms:                             # the rival laws; at least one
  competitive:
    weight: 2                           # prior weight, default 1; normalised over mechanisms
    let: {rate: "v * substrate / (km * (1 + inhibitor / ki) + substrate)"}
  non-competitive:
    let: {rate: "v * substrate / ((km + substrate) * (1 + inhibitor / ki))"}
  mixed:
    parameters: {alpha: {prior: {lognormal: [1.0, 0.7]}}}        # only this law has it
    let: {rate: "v * substrate / (km * (1 + inhibitor / ki) + substrate * (1 + inhibitor / (alpha * ki)))"}

outcomes:                               # what comes back; several may be named; independent given the latent values
  velocity: {normal: {mean: rate, sd: noise * rate / sqrt(replicates) + 0.01}, unit: mM/min}

cost: 1 + 0.5 * (replicates - 1)        # optional, per experiment, default 1, > 0; may use designs only
budget: 20                              # total cost of one run; with the default cost, its number of experiments
goal: learn                             # see Goals
"""

# Everything else that the format has.
FULL = """\
format: 1
name: prey-and-mixture
title: Which functional response?
designs:
  n0: {integer: [1, 100], scale: log, label: prey at the start}
  dose: {levels: [0.1, 0.5, 2]}
  site: {choice: [on, yes]}
parameters:
  a: {prior: {lognormal: [0, 1], low: 0.1, high: 10}}
  spread: {prior: {normal: [a, 0.5 * a], low: 0}}
  w: {prior: {dirichlet: [1, 1, 2]}}
  k: {prior: {categorical: {1: 0.5, 2: 0.25, 3: 0.25}}}
  c: {prior: {poisson: [3]}}
  b1: {prior: {beta: [2, 2]}}
  b2: {prior: {beta: [2, 2]}}
  u: {prior: {uniform: [-1, 1]}}
  v: {prior: {studentt: [4, 0, 1]}}
  deep: 2
exchangeable: [[b1], [b2]]
let:
  mean_w: dot(w, w) + sum(w) + w[2] + max(w)
  left: last / n0
dynamics:
  time: t
  let: {eaten: "a * prey**2 / (1 + a * prey**2)"}
  state:
    prey: {start: n0, rate: "-eaten * exp(-t)"}
    last: {start: deep, rate: "0 * prey"}
  until: 24
mechanisms:
  shared-law: {}
  empty-law:
  own-law:
    dynamics:
      state: {prey: {start: n0, rate: "-a * prey"}, last: {start: 1, rate: "1"}}
      until: deep + 1
    let: {final: prey + left}
outcomes:
  alive: {binomial: {n: n0, p: "clip(prey / n0, 0, 1)"}}
  seen: {negative_binomial: {mean: prey, dispersion: k}, censor: [null, 100]}
  kind: {categorical: {p: ["w[0]", "w[1]", "w[2]"]}}
  share: {beta: {mean: b1, concentration: 5}, label: share eaten}
  size: {gamma: {mean: a, shape: 2}}
  wait: {exponential: {rate: a}}
  ratio: {logitnormal: {mean: u, sd: 1}}
budget: 10.5
goal: {predict: {alive: [{n0: 500, dose: 0.3, site: on}]}}
"""


@pytest.fixture
def example() -> str:
    """The example document of the contract."""
    return EXAMPLE


@pytest.fixture
def full() -> str:
    """A valid document with all parts of the format that the example does not have."""
    return FULL
