"""Documents that break the format: each is refused with the line, the key's path, what was found, what is allowed."""

import pytest

from domains.errors import DocumentError, Problem
from domains.reading import read_text
from domains.validation import validate

# (what is written in the example, what stands there instead, line, path, words of the message)
EXAMPLE_CASES = [
    # the contract's own list
    ("mean: rate", "mean: rtae", 35, "outcomes.velocity.normal.mean", "'rtae' is not declared; did you mean 'rate'?"),
    ("noise: 0.05", "noise: 0.05\n  noise: 1", 20, "parameters.noise", "written twice"),
    ("'mutant', 0.4", "'mutnt', 0.4", 22, "let.v", "'enzyme' has no option 'mutnt'; did you mean 'mutant'?"),
    (
        "[0.7, 0.5]",
        "[0.7]",
        16,
        "parameters.vmax.prior.lognormal",
        "found 1 argument(s); lognormal takes 2: [mu, sigma]",
    ),
    ("[0.7, 0.5]", "[0.7, -1]", 16, "parameters.vmax.prior.lognormal[1]", "sigma is -1, but must be > 0"),
    ("sd: noise", "sd: -1, df: noise", 35, "outcomes.velocity.normal.sd", "sd is -1, but must be > 0"),
    ("cost: 1", "cost: km", 37, "cost", "'km' is a shared parameter, not visible here: cost sees designs and shared"),
    ("  v: vmax", "  w: v\n  v: w + vmax", 22, "let.w", "w → v → w"),
    ("goal: learn", "goal: {learn: [kmm]}", 39, "goal.learn[0]", "unknown parameter 'kmm'; did you mean 'km'?"),
    ("[0.05, 20]", "[20, 0.05]", 9, "designs.substrate.real", "low is 20 and high is 0.05; low must be < high"),
    ("budget:", "budgett:", 38, "budgett", "unknown key 'budgett'; did you mean 'budget'?"),
    # the head
    ("format: 1", "format: 2", 1, "format", "this version reads format 1"),
    ("format: 1", "format: true", 1, "format", "found true"),
    ("name: enzyme", "name: Enzyme", 2, "name", "not kebab-case"),
    ("name: enzyme-inhibition", "name: 3", 2, "name", "found the number 3; a text is needed"),
    ("title: How", "title: {a: b} # How", 3, "title", "found a mapping; a text"),
    ("references: [", "references: [1, ", 6, "references[0]", "a text is needed"),
    ("goal: learn", "goals: learn", 1, "", "the key 'goal' is missing"),
    # designs
    ("unit: mM}\n  inh", "units: mM}\n  inh", 9, "designs.substrate.units", "did you mean 'unit'?"),
    ("{real: [0.05, 20], ", "{", 9, "designs.substrate", "exactly one of real, integer, levels, choice"),
    ("real: [0.05, 20], scale", "real: [0, 20], scale", 9, "designs.substrate.real", "a log scale needs low > 0"),
    ("scale: log", "scale: lin", 9, "designs.substrate.scale", "allowed are linear, log"),
    ("[0.05, 20]", "[0.05]", 9, "designs.substrate.real", "two finite numbers [low, high]"),
    ("[0.05, 20]", "[a, 20]", 9, "designs.substrate.real", "two finite numbers [low, high]"),
    ("[1, 4]", "[1, 4.5]", 12, "designs.replicates.integer", "whole bounds"),
    ("[wild-type, mutant]", "[wild-type, 2]", 11, "designs.enzyme.choice[1]", "found the number 2; a text"),
    ("[wild-type, mutant]", "[a, a]", 11, "designs.enzyme.choice", "stands twice"),
    ("{choice: [wild-type, mutant]}", "{choice: [a], scale: log}", 11, "designs.enzyme.scale", "has no scale"),
    ("  replicates: {", "  sqrt: {", 12, "designs.sqrt", "reserved"),
    ("  replicates: {", "  class: {", 12, "designs.class", "reserved"),
    ("  replicates: {", "  _r: {", 12, "designs._r", "not a name"),
    ("  replicates: {", "  é: {", 12, "designs.é", "not a name"),
    # constraints, cost, budget
    ("+ inhibitor <=", "+ ki <=", 13, "constraints[0]", "'ki' is a shared parameter, not visible here"),
    (" <= 25", "", 13, "constraints[0]", "not a condition"),
    ("cost: 1", "cost: 0 #", 37, "cost", "the cost is 0, but must be > 0"),
    ("cost: 1", "cost: alpha", 37, "cost", "a name of mechanism 'mixed', not visible here"),
    ("cost: 1", "cost: v", 37, "cost", "a shared let-name, not visible here"),
    ("budget: 20", "budget: 0", 38, "budget", "a number > 0"),
    ("budget: 20", "budget: many", 38, "budget", "a finite number is needed"),
    # parameters
    ("noise: 0.05", "noise: vmax / 2", 19, "parameters.noise", "a formula belongs under 'let'"),
    ("noise: 0.05", "noise: {unit: mM}", 19, "parameters.noise", "the key 'prior' is missing"),
    ("noise: 0.05", "enzyme: 0.05", 19, "parameters.enzyme", "declared twice: it is already a design"),
    ("noise: 0.05", "e: 0.05", 19, "parameters.e", "reserved"),
    ("lognormal: [0.7", "log-normal: [0.7", 16, "parameters.vmax.prior.log-normal", "did you mean 'lognormal'?"),
    ("lognormal: [0.7, 0.5]", "normal: [1, 1], beta: [1, 1]", 16, "parameters.vmax.prior", "found normal and beta"),
    (
        "lognormal: [0.7, 0.5]",
        "halfnormal: 5",
        16,
        "parameters.vmax.prior.halfnormal",
        "are a list: halfnormal: [scale]",
    ),
    ("lognormal: [0.7, 0.5]", "uniform: [1, 1]", 16, "parameters.vmax.prior.uniform", "low must be < high"),
    (
        "lognormal: [0.7, 0.5]",
        "loguniform: [0, 1]",
        16,
        "parameters.vmax.prior.loguniform[0]",
        "low is 0, but must be > 0",
    ),
    ("lognormal: [0.7, 0.5]", "normal: [0, noise - 1]", 16, "parameters.vmax.prior.normal[1]", "sd is -0.95"),
    ("lognormal: [0.7, 0.5]", "normal: [1/0, 1]", 16, "parameters.vmax.prior.normal[0]", "finite"),
    (
        "lognormal: [0.7, 0.5]",
        "normal: [substrate, 1]",
        16,
        "parameters.vmax.prior.normal[0]",
        "a prior sees parameters only",
    ),
    ("lognormal: [0.7, 0.5]", "normal: [v, 1]", 16, "parameters.vmax.prior.normal[0]", "a prior sees parameters only"),
    ("lognormal: [0.7, 0.5]", "normal: [vmax, 1]", 16, "parameters.vmax", "vmax → vmax"),
    ("lognormal: [0.7, 0.5]", "normal: [0, 1], low: 2, high: 1", 16, "parameters.vmax.prior", "low must be < high"),
    ("lognormal: [0.7, 0.5]", "beta: [1, 1], low: 1", 16, "parameters.vmax.prior", "nothing of the beta prior"),
    ("lognormal: [0.7, 0.5]", "dirichlet: [1]", 16, "parameters.vmax.prior.dirichlet", "at least 2"),
    ("lognormal: [0.7, 0.5]", "categorical: [1, 2]", 16, "parameters.vmax.prior.categorical", "values to weights"),
    ("lognormal: [0.7, 0.5]", "categorical: {a: 1, 2: 1}", 16, "parameters.vmax.prior.categorical.a", "finite numbers"),
    # let and mechanisms
    ("  v: vmax", "  km: vmax", 22, "let.km", "declared twice: it is already a shared parameter"),
    ("  v: vmax", "  v: alpha * vmax", 22, "let.v", "'alpha' is a name of mechanism 'mixed'"),
    ("'mutant', 0.4", "mutant, 0.4", 22, "let.v", "needs quotes: enzyme == 'mutant'"),
    ("== 'mutant'", "< 'mutant'", 22, "let.v", "has no order"),
    ("== 'mutant'", "== km", 22, "let.v", "compare it with one of its options"),
    ("enzyme == 'mutant'", "km == 'mutant'", 22, "let.v", "only compared with a choice design"),
    ("where(enzyme == 'mutant', 0.4, 1.0)", "enzyme", 22, "let.v", "'enzyme' is a choice, not a number"),
    ("  v: vmax", "  v: vmax.real", 22, "let.v", "attribute"),
    ("  v: vmax", "  v: km[0] * vmax", 22, "let.v", "a single number, not a vector"),
    ("weight: 2", "weight: 0", 26, "mechanisms.competitive.weight", "a number > 0"),
    ("weight: 2", "weigth: 2", 26, "mechanisms.competitive.weigth", "did you mean 'weight'?"),
    ("{alpha: {", "{ki: {", 31, "mechanisms.mixed.parameters.ki", "declared twice: it is already a shared parameter"),
    (
        'let: {rate: "v * substrate / ((',
        'let: {v: 1, rate: "v * substrate / ((',
        29,
        "mechanisms.non-competitive.let.v",
        "twice",
    ),
    (
        "/ ((km + substrate)",
        "/ ((alpha + substrate)",
        29,
        "mechanisms.non-competitive.let.rate",
        "'alpha' is a name of",
    ),
    ("  mixed:", "  mi xed:", 30, "mechanisms.mi xed", "not a name"),
    # outcomes
    ("mean: rate", "mean: alpha", 35, "outcomes.velocity.normal.mean", "every mechanism defines"),
    ("mean: rate", "man: rate", 35, "outcomes.velocity.normal", "the key 'mean' is missing"),
    ("normal: {mean: rate, sd", "normal: {men: rate, sd", 35, "outcomes.velocity.normal.men", "did you mean 'mean'?"),
    (
        "mean: rate, sd: noise",
        "mean: rate, sd: min(noise, 1) + noise",
        35,
        "outcomes.velocity.normal.sd",
        "quote the expr",
    ),
    ("{normal: {", "{gaussian: {", 35, "outcomes.velocity", "exactly one of normal"),
    ("  velocity: {", "  enzyme: {", 35, "outcomes.enzyme", "already a design"),
    ("}, unit: mM/min}\n\ncost", "}, censor: [2, 1]}\n\ncost", 35, "outcomes.velocity.censor", "low must be < high"),
    (
        "{normal: {mean: rate, sd: noise * rate / sqrt(replicates) + 0.01}",
        "{bernoulli: {p: 1.5}",
        35,
        "outcomes.velocity.bernoulli.p",
        "p is 1.5, but must be between 0 and 1",
    ),
    # goals
    ("goal: learn", "goal: lern", 39, "goal", "a goal is one of learn, discriminate"),
    ("goal: learn", "goal: {learn: [alpha]}", 39, "goal.learn[0]", "not a parameter of every mechanism"),
    ("goal: learn", "goal: {learn: [noise]}", 39, "goal.learn[0]", "a constant"),
    ("goal: learn", "goal: {learn: []}", 39, "goal.learn", "at least 1"),
    ("goal: learn", "goal: {maximise: velocity}", 39, "goal.maximise", "is an outcome"),
    ("goal: learn", "goal: {maximise: rat}", 39, "goal.maximise", "did you mean 'rate'?"),
    ("goal: learn", "goal: {predict: {speed: [{}]}}", 39, "goal.predict.speed", "unknown outcome 'speed'"),
    (
        "goal: learn",
        "goal: {predict: {velocity: [{substrate: 1}]}}",
        39,
        "goal.predict.velocity[0]",
        "'enzyme' is missing",
    ),
    ("goal: learn", "goal: {maximise: rate, minimise: rate}", 39, "goal", "a goal is one of"),
    # exchangeable and replays
    ("goal: learn", "goal: learn\nexchangeable: [[km], [ki]]", 40, "exchangeable", "different priors"),
    ("goal: learn", "goal: learn\nexchangeable: [[km], [kj]]", 40, "exchangeable[1][0]", "did you mean"),
    ("goal: learn", "goal: learn\nreplays: {a: {columns: {}}}", 40, "replays.a", "the key 'file' is missing"),
    ("goal: learn", "goal: learn\nreplays: {a: {file: ../x.csv}}", 40, "replays.a.file", "leads outside"),
    ("goal: learn", "goal: learn\nreplays: {a: {file: x.csv}}", 40, "replays.a.file", "not attached"),
    (
        "goal: learn",
        "goal: learn\nreplays: {a: {columns: {substrate: s}}}",
        40,
        "replays.a.columns",
        "no column for inhibitor",
    ),
    (
        "goal: learn",
        "goal: learn\nreplays: {a: {set: {enzyme: mutnt}}}",
        40,
        "replays.a.set.enzyme",
        "did you mean 'mutant'?",
    ),
    (
        "goal: learn",
        "goal: learn\nreplays: {a: {set: {replicates: 9}}}",
        40,
        "replays.a.set.replicates",
        "outside its range",
    ),
]

FULL_CASES = [
    ("until: 24", "until: prey", 29, "dynamics.until", "'prey' is a shared state, not visible here"),
    ("until: 24", "until: left", 29, "dynamics.until", "known only after integration"),
    ("until: 24", "until: -1", 29, "dynamics.until", "time starts at 0"),
    ("until: 24", "at: [0, 2, 1]", 29, "dynamics.at[2]", "times ascend"),
    ("until: 24", "until: 24\n  at: [1]", 23, "dynamics", "both or neither"),
    ("until: 24", "at: [1, 2]", 39, "outcomes.alive.binomial.p", "with one length in all"),
    ("time: t", "time: a", 24, "dynamics.time", "declared twice"),
    ("let: {eaten:", "let: {a: 1, eaten:", 25, "dynamics.let.a", "declared twice"),
    ("final: prey + left", "final: prey + t", 37, "mechanisms.own-law.let.final", "'t' is known only inside dynamics"),
    ("final: prey", "last: prey", 37, "mechanisms.own-law.let.last", "already a shared state"),
    (', last: {start: 1, rate: "1"}', "", 22, "let.left", "'last' is a shared state, not visible here"),
    ('rate: "-eaten * exp(-t)"', "rte: 1", 27, "dynamics.state.prey", "the key 'rate' is missing"),
    ("[0, 1], low: 0.1", "[spread, 1], low: 0.1", 9, "parameters.a", "a → spread → a"),
    ("poisson: [3]", "poisson: [3], low: 1.2, high: 1.8", 13, "parameters.c.prior", "no whole number >= 0 lies"),
    ("poisson: [3]", "poisson: [3], high: -0.5", 13, "parameters.c.prior", "no whole number >= 0 lies"),
    ("[4, 0, 1]", "[4, 0, 1], low: 1, high: 1", 17, "parameters.v.prior", "low must be < high"),
    ("[-1, 1]", "[-1, 1], low: 1", 16, "parameters.u.prior", "nothing of the uniform prior"),
    ("dot(w, w)", "2 * w", 21, "let.mean_w", "'w' is a vector of 3; pick an entry, w[0]"),
    ("w[2]", "w[3]", 21, "let.mean_w", "has 3 entries, 0 to 2"),
    ("dot(w, w)", "dot(w, a)", 21, "let.mean_w", "dot takes two vectors"),
    ("{mean: b1,", "{mean: w,", 42, "outcomes.share.beta.mean", "'w' is a vector of 3"),
    ("{1: 0.5,", "{1: -0.5,", 12, "parameters.k.prior.categorical.1", "the weight of 1 is -0.5, but must be > 0"),
    ("{1: 0.5,", "{2.0: 0.5,", 12, "parameters.k.prior.categorical.2", "different finite numbers"),
    ("[[b1], [b2]]", "[[b1, u], [b2]]", 19, "exchangeable", "different lengths"),
    ("[[b1], [b2]]", "[[b1, b2], [b2, b1]]", 19, "exchangeable", "in two places"),
    ("censor: [null, 100]", "censor: [null, null]", 40, "outcomes.seen.censor", "one of which may be null"),
    ("site: on}]", "site: off}]", 47, "goal.predict.alive[0].site", "'off' is no option"),
    ("integer: [1,", "integer: [0,", 5, "designs.n0.integer", "a log scale needs low > 0"),
    ('["w[0]", "w[1]", "w[2]"]', "b1", 41, "outcomes.kind.categorical.p", "a list of probabilities"),
]  # fmt: skip


Case = tuple[str, str, int, str, str]


def _problems(text: str, old: str, new: str) -> tuple[Problem, ...]:
    assert old in text
    with pytest.raises(DocumentError) as caught:
        validate(read_text(text.replace(old, new, 1)))
    return caught.value.problems


def _check(text: str, case: Case) -> None:
    old, new, line, path, words = case
    problems = _problems(text, old, new)
    assert any(p.line == line and p.path.startswith(path) and words in p.message for p in problems), problems


@pytest.mark.parametrize("case", EXAMPLE_CASES, ids=lambda case: case[1])
def test_broken_examples(example: str, case: Case) -> None:
    _check(example, case)


@pytest.mark.parametrize("case", FULL_CASES, ids=lambda case: case[1])
def test_broken_full_documents(full: str, case: Case) -> None:
    _check(full, case)


def test_all_problems_at_once_in_the_order_of_lines(example: str) -> None:
    text = (
        example.replace("[0.05, 20]", "[20, 0.05]").replace("[0.7, 0.5]", "[0.7]").replace("mean: rate", "mean: rtae")
    )
    problems = _problems(text, "budget: 20", "budget: -1")
    assert [problem.line for problem in problems] == [9, 16, 35, 38]


def test_many_problems_are_bounded(example: str) -> None:
    problems = _problems(example, "budget: 20", "\n".join(f"budget{i}: 20" for i in range(20_000)))
    assert len(problems) <= 100


def test_the_full_format_is_valid(full: str) -> None:
    domain = validate(read_text(full))
    names = {law.name: [name for name, _ in law.let] for law in domain.mechanisms}
    assert names == {
        "shared-law": ["mean_w", "left"],
        "empty-law": ["mean_w", "left"],
        "own-law": ["mean_w", "left", "final"],
    }
    order = [parameter.name for parameter in domain.mechanisms[0].parameters]
    assert order[0] == "deep"
    assert order.index("a") < order.index("spread")
    assert {p.name: p.entries for p in domain.parameters}["w"] == ("w[0]", "w[1]", "w[2]")
    assert domain.goal.points == {"alive": ({"n0": 500.0, "dose": 0.3, "site": "on"},)}
    assert domain.outcomes[1].censor == (None, 100.0)


def test_vectors_over_times_make_vector_outcomes(full: str) -> None:
    text = full.replace("until: 24", "at: [1, 2]").replace("until: deep + 1", "at: [0.5, deep]")
    assert [outcome.name for outcome in validate(read_text(text)).outcomes if outcome.size] == ["alive", "seen"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cost: 1", "cost: noise + 1"),
        ("weight: 2", "weight: 0.5"),
        ("goal: learn", "goal: discriminate"),
        ("goal: learn", "goal: {learn: [km, ki]}"),
        ("noise: 0.05", "noise: {prior: {halfnormal: [0.1 * km]}}"),
        ("  v: vmax", "  v: w + vmax\n  w: km"),
        ("cost: 1 + 0.5 * (replicates - 1)", ""),
        ("  competitive:", "  competitive:\n    parameters: {alpha: 3}"),
        ("  velocity: {", "  rate: {"),
    ],
)
def test_variations_that_are_valid(example: str, old: str, new: str) -> None:
    assert old in example
    assert validate(read_text(example.replace(old, new, 1))).name == "enzyme-inhibition"
