"""Broken documents and formulas by the hundred: each is a domain or a list of problems, never anything else.

The deadlines find hangs: a catalogue document takes milliseconds.
"""

import copy
import re

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domains import catalogue, loading
from domains.document import Domain
from domains.errors import DocumentError, ExpressionError
from domains.expressions import FUNCTIONS, parse
from domains.loading import dump, load_text
from domains.reading import read_text
from domains.worlds import DomainModel

DEADLINE = 10_000  # ms
MOST_CHARACTERS = 1000  # of a message
SOUND = [loading.load_file(catalogue.path(name)) for name in catalogue.names()]
TABLES = {name: text for domain in SOUND for name, text in loading.attachments(domain).items()}
DOCUMENTS = [read_text(domain.text).data for domain in SOUND]


def places(value, path=()):
    """The paths of everything below a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def _nested(depth: int, kind: str):
    value = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {kind: value}
    return value


EXTREME = st.sampled_from(
    [0, -1, 10**299, -(10**200), 1e308, -1e308, 5e-324, 2**63, True, None, "", "x" * 5000, "min(1, 2)", "-", "1/0",
     "9" * 400, "0x" + "f" * 290, "𝐱", "é", "<<", "a[0]", "sqrt", "f" + "()" * 1900, "-" * 3900 + "1", "(" * 3000,
     "9**9**9**9**9", "'" * 301, "a" + ".b" * 1500 + "(x)", "not " * 900 + "x", "x if x else " * 300 + "x"]
)  # fmt: skip
NEW_KEYS = st.sampled_from(["e", "sqrt", "x y", "", "t", "on", "1", "x" * 300, "__class__", "prior", "let", "ключ"])
VALUES = st.one_of(
    EXTREME,
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.builds(_nested, st.integers(1, 60), st.sampled_from(["list", "a", "prior", "let"])),
    st.sampled_from([(document, path) for document in DOCUMENTS for path in places(document)]).map(
        lambda place: copy.deepcopy(at(*place))
    ),
)


@st.composite
def mutated(draw) -> dict:
    """A catalogue document with one to three things deleted, replaced, renamed, doubled, or put a level deeper."""
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([*places(document)]))
        parent, key = at(document, path[:-1]), path[-1]
        how = draw(st.sampled_from(["delete", "replace", "rename", "copy", "deepen"]))
        if how == "delete":
            del parent[key]
        elif how == "replace":
            parent[key] = draw(VALUES)
        elif how == "deepen":
            parent[key] = draw(st.sampled_from([[parent[key]], {"a": parent[key]}]))
        elif isinstance(parent, dict):
            new = draw(st.one_of(NEW_KEYS, st.sampled_from([str(other[-1]) for other in places(document)])))
            parent[new] = copy.deepcopy(parent[key]) if how == "copy" else parent.pop(key)
        else:
            parent.append(copy.deepcopy(parent[key]))
        if not document:
            return {"format": 1}
    return document


def loads_or_says_why(text: str) -> Domain | None:
    """The domain, or None after problems that each have a place and a message of bearable length."""
    try:
        return load_text(text, attachments=TABLES)
    except DocumentError as error:
        assert error.problems  # noqa: PT017
        for problem in error.problems:
            assert problem.line is not None or "too large" in problem.message
            assert 0 < len(problem.message) <= MOST_CHARACTERS
            assert len(problem.path) <= MOST_CHARACTERS * 4
            assert "Traceback" not in problem.message
        return None


def written(document: object) -> str:
    return loading.yaml.dump(document, Dumper=loading._Dumper, sort_keys=False, allow_unicode=True)


@settings(max_examples=500, deadline=DEADLINE, suppress_health_check=[HealthCheck.too_slow])
@given(document=mutated())
def test_a_changed_document_loads_or_says_why(document) -> None:
    domain = loads_or_says_why(written(document))
    if domain is not None:
        again = load_text(dump(domain), attachments=TABLES)
        assert (again.identity, again.parsed) == (domain.identity, domain.parsed)


SCRAPS = st.sampled_from(
    ["{", "}", "[", "]", ": ", ":", ",", "'", '"', "#", " #", "\n", "\n  ", "\t", "\r", "*", "&a ", "!!str ", "|", ">",
     "%", "@", "`", "---", "...", "? ", "- ", "<<: ", "(", ")", "\u00a0", "−", "²", "\u200b", "\ufeff", "e", "1,000"]
)  # fmt: skip


@settings(max_examples=400, deadline=DEADLINE)
@given(data=st.data())
def test_a_changed_text_loads_or_says_why(data) -> None:
    text = data.draw(st.sampled_from(SOUND)).text
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.sampled_from([0, 0, 1, 5, 40]))
        text = text[:start] + data.draw(st.one_of(SCRAPS, st.text(max_size=3))) + text[start + length :]
    loads_or_says_why(text)


SHORT = """\
format: 1
name: short
designs: {x: {real: [0, 1]}}
mechanisms: {m: {}}
outcomes: {y: {normal: {mean: x, sd: 1}}}
budget: 1
goal: learn
"""
LONG_LAW = "x<" * 1300 + "x"
HOSTILE = {
    "every law again for each of 64 dynamics": SHORT.replace(
        "mechanisms: {m: {}}",
        "let:\n"
        + "".join(f"  l{i}: {LONG_LAW}\n" for i in range(340))
        + "mechanisms:\n"
        + "".join(f"  m{i}: {{dynamics: {{state: {{s: {{start: 1, rate: 1}}}}, until: 1}}}}\n" for i in range(64)),
    ),
    "a cut expression eighty thousand times": SHORT + "a: [" + "min(a, b), " * 80_000 + "]\n",
    "a key of 300 kB, twice": SHORT + ("? " + "k" * 300_000 + "\n: 1\n") * 2,
    "a hundred thousand anchors": SHORT + "a: [" + "&a 1, " * 100_000 + "]\n",
    "a cycle of 500": SHORT + "let:\n" + "".join(f"  l{i}: l{(i + 1) % 500}\n" for i in range(500)),
    "250 cycles": SHORT + "let:\n" + "".join(f"  l{i}: l{i ^ 1}\n" for i in range(500)),
    "an old Mac's line ends": "a: 1\rb: {c: min(a, b)}",
    "a number of 290 hexadecimal digits": SHORT.replace("budget: 1", "budget: 0x" + "f" * 290),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.timeout(60)
def test_hostile_documents_are_refused(what: str) -> None:
    assert loads_or_says_why(HOSTILE[what]) is None


def test_the_order_of_keys_does_not_change_the_hash() -> None:
    for domain in SOUND:
        turned = written(_reversed(read_text(domain.text).data))
        assert load_text("# turned\n" + turned, attachments=TABLES).identity == domain.identity


def _reversed(value):
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return value


ONE_LAW = """\
format: 1
name: one-law
designs:
  x: {{real: [-2, 2]}}
  c: {{choice: [on, off]}}
parameters:
  k: {{prior: {{normal: [0, 1]}}}}
  w: {{prior: {{dirichlet: [1, 1, 2]}}}}
  three: 3
dynamics: {{state: {{s: {{start: k, rate: -s}}}}, at: [0, 1]}}
mechanisms: {{m: {{let: {{law: "{law}"}}}}}}
outcomes: {{y: {{normal: {{mean: law, sd: 1}}}}}}
budget: 1
goal: learn
"""
LEAVES = st.one_of(
    st.sampled_from(
        ["x", "k", "three", "w[0]", "w[2]", "sum(w)", "dot(w, w)", "s", "s[1]", "c == 'on'", "c != 'off'", "pi", "e",
         "0", "1e308", "1e-320", "w", "c", "'on'", "s[2]", "w[3]", "999999999999999999999999"]
    ),
    st.floats(0, 1e308).map(repr),
)  # fmt: skip
SIGNS = st.sampled_from(["+", "-", "*", "/", "**", "%", "//", "<", "<=", ">", ">=", "==", "!=", "and", "or"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def call(function: str) -> st.SearchStrategy[str]:
        fewest, most = FUNCTIONS[function]
        return st.lists(inner, min_size=fewest, max_size=most or 3).map(lambda a: f"{function}({', '.join(a)})")

    return st.one_of(
        st.tuples(inner, SIGNS, inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda operand: f"(-{operand})"),
        inner.map(lambda operand: f"(not {operand})"),
        st.tuples(inner, inner, inner).map(lambda parts: "({} if {} else {})".format(*parts)),
        st.tuples(inner, inner, inner).map(lambda parts: "({} < {} <= {})".format(*parts)),
        st.sampled_from(sorted(FUNCTIONS)).flatmap(call),
    )


@settings(max_examples=250, deadline=DEADLINE, suppress_health_check=[HealthCheck.too_slow])
@given(law=st.recursive(LEAVES, _grown, max_leaves=8))
def test_a_law_that_is_accepted_is_computed(law: str) -> None:
    """From text to tensors: what validation lets through has a value, for runs × particles × experiments."""
    domain = loads_or_says_why(ONE_LAW.format(law=law))
    if domain is None:
        return
    model = DomainModel(domain)
    mechanism = model.mechanisms[0]
    z = mechanism.sample_prior((2, 3), torch.Generator().manual_seed(1))
    parameters = {name: value[..., None] for name, value in mechanism.parameters(z).items()}
    designs = model.space.uniform(8, torch.Generator().manual_seed(2)).reshape(2, 1, 4, -1)
    outcomes = torch.zeros((2, 1, 4, len(model.outcome_names)), dtype=torch.float64)
    density = mechanism.log_likelihood(parameters, designs, outcomes)
    assert density.dtype == torch.float64
    assert torch.broadcast_shapes(density.shape, (2, 3, 4)) == (2, 3, 4)
    assert not density.isnan().any()


def test_dynamics_that_use_nothing_are_vectors_over_times_beside_any_parameter_and_design() -> None:
    """exp(-t/2) at three times, with three experiments, so that a mixed-up axis would fit and be wrong."""
    text = ONE_LAW.format(law="s * k + x").replace("{start: k, rate: -s}", "{start: 1, rate: -s / 2}")
    model = DomainModel(load_text(text.replace("at: [0, 1]", "at: [1, 2, 3]")))
    mechanism = model.mechanisms[0]
    parameters = mechanism.parameters(mechanism.sample_prior((2, 3), torch.Generator().manual_seed(1)))
    parameters = {name: value[..., None] for name, value in parameters.items()}
    designs = model.space.uniform(6, torch.Generator().manual_seed(2)).reshape(2, 1, 3, -1)
    states = torch.exp(-0.5 * torch.arange(1, 4, dtype=torch.float64))
    found = mechanism.outcome_arguments(parameters, designs)
    for state, (mean, _) in zip(states, found, strict=True):
        assert torch.allclose(mean, state * parameters["k"] + designs[..., 0], rtol=1e-5)


@settings(max_examples=500, deadline=DEADLINE)
@given(st.text(alphabet="abx01.()[]'\"+-*/<>=!,: \n_\\#{}|&^%~;$@ifelsandotσ²−", max_size=80))
def test_any_text_is_an_expression_or_is_refused_in_few_words(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        assert len(str(error)) <= MOST_CHARACTERS  # noqa: PT017
        assert not re.search(r"<ast|object at", str(error))  # noqa: PT017
