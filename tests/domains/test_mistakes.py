"""Mistakes of people who see the format for the first time: the message names line and key, and what to write."""

import pytest

from domains.errors import DocumentError
from domains.loading import load_text

DOCUMENT = """\
format: 1
name: growth
title: How does the culture grow?
designs:
  dose: {real: [0.1, 20], scale: log, unit: mM}
  strain: {choice: [wild-type, mutant]}
parameters:
  vmax: {prior: {lognormal: [0.7, 0.5]}, unit: mM/min}
  km: {prior: {lognormal: [0.0, 0.8]}}
  noise: 0.05
let:
  v: vmax * where(strain == 'mutant', 0.4, 1.0)
mechanisms:
  saturating:
    let: {rate: "v * dose / (km + dose)"}
  linear:
    let: {rate: "v * dose"}
outcomes:
  growth: {normal: {mean: rate, sd: noise}, unit: 1/h}
budget: 20
goal: learn
"""
TABLE = "d,s,g\n1,mutant,2\n"

LAW = '"v * dose"'
RATE = "mechanisms.linear.let.rate"
PRIOR = "{prior: {lognormal: [0.0, 0.8]}}"
OUTCOME = "{normal: {mean: rate, sd: noise}, unit: 1/h}"
LINEAR = '  linear:\n    let: {rate: "v * dose"}'
REPLAY = "goal: learn\nreplays: {a: {file: x.csv, columns: {dose: d, strain: s, growth: g}}}"

# (what is written, what stands there instead, line, path, words of the message)
YAML = [
    ("  km: {prior", "\tkm: {prior", 9, "", "a tab indents this line; YAML is indented with spaces"),
    ("  km: {prior", "\u00a0\u00a0km: {prior", 9, "", "no ordinary space, indents this line"),
    ("  km: {prior", "   km: {prior", 9, "", "keys of one mapping begin in one column"),
    ("  km: {prior", " km: {prior", 9, "", "is indented by 1, unlike the keys above it"),
    ("  km: {prior", "km: {prior", 10, "", "is indented by 2, unlike the keys above it"),
    ("title: How", "title: Growth: how", 3, "", "a text with a colon and a space in it needs quotes"),
    ("title: How does the culture grow?", "title: How\n  why: 1", 4, "", "stands further right than line 3"),
    (f"{{rate: {LAW}}}", "{rate: v * dose # 2}", 17, "", "what follows ' #' in"),
    (LAW + "}", '"v * dose}', 17, "", "a quote opens in"),
    (LAW + "}", LAW, 17, "", "is never closed"),
    (LAW + "}", LAW + "}}", 17, "", "'}' stands after the end of the value"),
    ("goal: learn", '"goal": "learn",', 21, "", "',' stands after the end of the value"),
    (LAW, "'v' * dose", 17, "", "must be quoted as a whole"),
    (LAW, "*dose", 17, "", "the alias *dose is not allowed"),
    (LAW, "%dose", 17, "", "a value begins with '%'"),
    (LAW, "{a: 1} + 2", 17, "", "a comma or a closing bracket is missing"),
    ("goal: learn", "goal: |learn", 21, "", "a value begins with | or >"),
    ("budget: 20", "budget 20", 20, "", "'budget 20' has no colon and space after its key"),
    ("budget: 20", "budget:20", 20, "", "'budget:20' has no colon and space after its key"),
    ("parameters:", "parameters", 7, "", "'parameters' has no colon and space after its key"),
    ("format: 1\n", "format\nname: x\n", 1, "", "'format' has no colon and space after its key"),
    ("  noise: 0.05\n", "  noise: 0.05\n  - x: 1\n", 11, "", "an entry of a list amid keys"),
    ("[wild-type, mutant]", "[wild-type,, mutant]", 6, "", "a value is missing in"),
    ("format: 1", "```yaml\nformat: 1", 1, "", "backquote"),
    (
        "mean: rate, sd: noise",
        "mean:rate, sd:noise",
        19,
        "outcomes.growth.normal.mean:rate",
        "follows the colon: mean:",
    ),
    ("mean: rate,", "mean: max(rate, 0),", 19, "outcomes.growth.normal.mean", 'quote the expression: "max(rate, 0)"'),
    ("{lognormal: [0.0, 0.8]}", "lognormal(0, 0.8)", 9, "parameters.km.prior", "written {lognormal: [0, 0.8]}"),
    ("[0.1, 20]", "(0.1, 20)", 5, "designs.dose.real", "a list stands in square brackets: [0.1, 20]"),
    ("  noise: 0.05", "  noise: 0.05\n  noise: 0.1", 11, "parameters.noise", "written twice (first on line 10)"),
]
NUMBERS = [
    ("budget: 20", "budget: 1,000", 20, "budget", "found the text '1,000'; a finite number is needed here; numbers"),
    ("budget: 20", "budget: '20'", 20, "budget", "remove the quotes: 20"),
    ("budget: 20", "budget: 20 experiments", 20, "budget", "write the number alone, 20"),
    ("[0.1, 20]", "[0.1, 1,000]", 5, "designs.dose.real", "numbers have no commas: write 1000, not 1,000"),
    ("[0.1, 20]", "[0.1 mM, 20 mM]", 5, "designs.dose.real", "write the number alone, 0.1, and its unit under 'unit'"),
    ("[0.1, 20]", "0.1 - 20", 5, "designs.dose.real", "found the text '0.1 - 20'; two finite numbers [low, high]"),
    ("noise: 0.05", "noise: 5 mM", 10, "parameters.noise", "write the number alone, 5"),
    ("noise: 0.05", "noise: 5%", 10, "parameters.noise", "a percentage is written as a fraction: 0.05"),
    ("noise: 0.05", "noise: 0,05", 10, "parameters.noise", "the decimal sign is a point: 0.05"),
    ("noise: 0.05", "noise: 10^-3", 10, "parameters.noise", "a power of ten is written 1e-3"),
    ("noise: 0.05", "noise: 5 × 10^-2", 10, "parameters.noise", "a power of ten is written 5e-2"),
    ("noise: 0.05", "noise: 1/20", 10, "parameters.noise", "write the value: 0.05"),
]  # fmt: skip
EXPRESSIONS = [
    ("v − dose", "'−' (minus sign); expressions are written in plain ASCII, so write -"),
    ("v × dose", "so write *"),
    ("v * dose²", "so write ** 2"),
    ("v ≤ dose", "so write <="),
    ("σ * dose", "so write the name in letters, sigma"),
    ("v * dоse", "'о' (cyrillic small letter o)"),
    ("“v” * dose", 'so write "'),
    ("v * dose^2", "a power is written **"),
    ("v * ln(dose)", "'ln' is not a function here; write log(x), the natural logarithm"),
    ("v * Exp(dose)", "write exp(…)"),
    ("v * np.exp(dose)", "'np.exp' is not a function here; write exp(…)"),
    ("logistic(dose)", "write sigmoid(x)"),
    ("log2(dose)", "write log(x) / log(2)"),
    ("pow(dose, 2)", "write x ** y"),
    ("sqroot(dose)", "did you mean 'sqrt'?"),
    ("v (dose + 1)", "a product is written v * (…)"),
    ("if(dose > 1, v, 0)", "where(condition, yes, no)"),
    ("v * (dose > 1 && dose < 3)", "'and' is written in letters"),
    ("v * (dose > 1 || dose < 3)", "'or' is written in letters"),
    ("v * (dose > 1 & dose < 3)", "both of two conditions: (a) and (b)"),
    ("v * (dose > 1 AND dose < 3)", "are written in small letters"),
    ("v * !(dose > 1)", "'not' is written in letters"),
    ("v * (dose = 1)", "equality is written =="),
    ("where(strain='mutant', v, 1)", "equality is written =="),
    ("v * (dose <> 1)", "unequal is written !="),
    ("2dose", "a product is written 2 * x"),
    ("v * 2 dose", "there is no operator between 2 and dose; a product is written 2 * dose"),
    ("(v) dose", "there is no operator between ( … ) and dose"),
    ("v * (dose + 1", "never closed"),
    ("|v - dose|", "an absolute value is written abs(x)"),
    ("dose!", "exp(lgamma(n + 1))"),
    ("v * 50%", "50 % is 0.5"),
    ("v * dose;", "remove the semicolon"),
    ("$v * dose$", "remove the dollar signs"),
    ("[v * dose] / 2", "only round ones group"),
    ("v * doze", "'doze' is not declared; did you mean 'dose'?"),
    ("V * dose", "'V' is not declared; did you mean 'v'?"),
    ("v * (strain == mutant)", "needs quotes: strain == 'mutant'"),
    ("v * (strain == 'Mutant')", "did you mean 'mutant'?"),
]
KEYS = [
    (PRIOR, "{prior: {lognormal: 0.8}}", 9, "parameters.km.prior.lognormal", "are a list: lognormal: [mu, sigma]"),
    (PRIOR, "{prior: {normal: {mean: 0, sd: 1}}}", 9, "parameters.km.prior.normal", "are a list: normal: [mean, sd]"),
    (PRIOR, "{lognormal: [0, 1]}", 9, "parameters.km.lognormal", "stand under 'prior', as in"),
    (PRIOR, "{prior: {normal: [0, 1]}, low: 0}", 9, "parameters.km.low", "stand under 'prior', as in"),
    (PRIOR, "{prior: {gaussian: [0, 1]}}", 9, "parameters.km.prior.gaussian", "did you mean 'normal'?"),
    (PRIOR, "{prior: {Log-Normal: [0, 1]}}", 9, "parameters.km.prior.Log-Normal", "did you mean 'lognormal'?"),
    (PRIOR, "[0, 1]", 9, "parameters.km", "found a list; a parameter is a number or has a prior; write {prior:"),
    ("  noise: 0.05", "  lambda: 0.05", 10, "parameters.lambda", "'lambda' is reserved"),
    ("  noise: 0.05", "  in: 0.05", 10, "parameters.in", "'in' is reserved"),
    ("  noise: 0.05", "  e: 0.05", 10, "parameters.e", "'e' is reserved: it is the constant 2.7183"),
    ("  noise: 0.05", "  max: 0.05", 10, "parameters.max", "'max' is reserved: it is a function"),
    ("  noise: 0.05", "  σ: 0.05", 10, "parameters.σ", "write sigma"),
    ("  noise: 0.05", "  noise level: 0.05", 10, "parameters.noise level", "write noise_level"),
    ("  noise: 0.05", "  2nd: 0.05", 10, "parameters.2nd", "write nd"),
    ("  noise: 0.05", "  dose: 0.05", 10, "parameters.dose", "declared twice: it is already a design"),
    ("  linear:", "  linear law:", 16, "mechanisms.linear law", "write linear-law"),
    (LINEAR, '  linear: {rate: "v * dose"}', 16, "mechanisms.linear.rate", "stand under its 'let'"),
    (LINEAR, '  linear: "v * dose"', 16, "mechanisms.linear", "stand under its 'let'"),
    ('{rate: "v * dose"}', "rate = v * dose", 17, "mechanisms.linear.let", "a mapping of let-names is needed here"),
    (OUTCOME, "rate", 19, "outcomes.growth", "as in {normal: {mean: rate, sd: 0.1}}"),
    (OUTCOME, "{mean: rate, sd: noise}", 19, "outcomes.growth.mean", "as in {normal: {mean: rate, sd: 0.1}}"),
    ("sd: noise", "sigma: noise", 19, "outcomes.growth.normal.sigma", "did you mean 'sd'?"),
    ("designs:", "variables:", 4, "variables", "did you mean 'designs'?"),
    ("mechanisms:", "models:", 13, "models", "did you mean 'mechanisms'?"),
    ("budget:", "Budget:", 20, "Budget", "did you mean 'budget'?"),
    ("real: [0.1, 20], scale: log", "min: 0.1, max: 20", 5, "designs.dose.min", "did you mean 'real'?"),
    ("{choice: [wild-type, mutant]}", "[wild-type, mutant]", 6, "designs.strain", "{choice: [texts]}"),
    ("scale: log", "scale: Log", 5, "designs.dose.scale", "did you mean 'log'?"),
    ("name: growth", "name: Growth of E. coli", 2, "name", "write growth-of-e-coli"),
    ("goal: learn", "goal: Learn", 21, "goal", "did you mean 'learn'?"),
    ("goal: learn", "goal: {maximize: rate}", 21, "goal.maximize", "did you mean 'maximise'?"),
    ("goal: learn", "goal: {maximise: growth}", 21, "goal.maximise", "name what it measures, such as rate"),
    ("goal: learn", REPLAY.replace("x.csv", "z.csv"), 22, "replays.a.file", "'z.csv' is not attached to the document"),
    ("goal: learn", REPLAY.replace("growth: g", "growth: G"), 22, "replays.a", "it has 'd', 's', 'g'"),
    ("goal: learn", REPLAY.replace(", growth: g", ""), 22, "replays.a.columns", "no column for growth; map each"),
]  # fmt: skip
LAWS = [(LAW, '"' + law.replace('"', "'") + '"', 17, RATE, words) for law, words in EXPRESSIONS if '"' not in law]
CASES = [*YAML, *NUMBERS, *LAWS, *KEYS]


@pytest.mark.parametrize(("old", "new", "line", "path", "words"), CASES, ids=lambda value: str(value)[:40])
def test_the_message_names_the_place_and_the_way_out(old: str, new: str, line: int, path: str, words: str) -> None:
    assert old in DOCUMENT
    with pytest.raises(DocumentError) as caught:
        load_text(DOCUMENT.replace(old, new, 1), "growth.yaml", {"x.csv": TABLE})
    found = [problem for problem in caught.value.problems if (problem.line, problem.path) == (line, path)]
    assert any(words in problem.message for problem in found), caught.value.problems
    assert all(len(problem.message) < 500 for problem in caught.value.problems)
    assert f"growth.yaml:{line}: " in str(caught.value)


def test_the_document_that_the_mistakes_are_made_in_is_sound() -> None:
    assert load_text(DOCUMENT, attachments={"x.csv": TABLE}).name == "growth"


def test_a_design_with_a_problem_is_not_blamed_where_it_is_used() -> None:
    with pytest.raises(DocumentError) as caught:
        load_text(DOCUMENT.replace("[wild-type, mutant]", "[true, 1]"))
    assert [problem.path for problem in caught.value.problems] == [
        "designs.strain.choice[0]",
        "designs.strain.choice[1]",
    ]
