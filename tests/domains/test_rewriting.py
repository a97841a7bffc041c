"""Documents rewritten, compared, begun from tables, and their priors drawn."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from domains import catalogue
from domains.comparison import differences
from domains.document import Parameter, Prior
from domains.errors import DomainError
from domains.expressions import number
from domains.from_table import begin, guessed_roles, read_columns, table_name
from domains.loading import as_yaml, attachments, find, load_text
from domains.prior_density import density
from domains.reading import read_text
from domains.rewriting import rewritten


@pytest.mark.parametrize("name", catalogue.names())
def test_one_change_leaves_all_other_lines_as_they_are(name: str) -> None:
    domain = find(name)
    document = copy.deepcopy(dict(domain.parsed))
    document["budget"] = 77

    text = rewritten(domain.text, document)

    assert read_text(text).data == document
    changed = [line for line in text.splitlines() if line not in domain.text.splitlines()]
    assert changed == ["budget: 77"]
    assert rewritten(domain.text, dict(domain.parsed)) == domain.text


@pytest.mark.parametrize("name", catalogue.names())
def test_a_document_laid_out_anew_is_the_same(name: str) -> None:
    domain = find(name)
    assert load_text(as_yaml(domain.parsed), attachments=attachments(domain)).identity == domain.identity


def test_keys_are_taken_away_and_added_with_their_comments() -> None:
    text = "# head\nformat: 1\n\n# of the name\nname: a\n\n# of the goal\ngoal: learn # why\n"
    document = {"format": 1, "goal": "learn", "title": "yes"}
    assert rewritten(text, document) == "# head\nformat: 1\n\n# of the goal\ngoal: learn # why\ntitle: 'yes'\n"


@pytest.mark.parametrize("text", ["{format: 1, name: a}", "name: [", ""])
def test_what_is_laid_out_otherwise_is_written_anew(text: str) -> None:
    document = {"format": 1, "name": "b"}
    assert rewritten(text, document) == "format: 1\nname: b\n"


def test_one_and_one_point_nought_are_two_values() -> None:
    assert rewritten("budget: 1\n", {"budget": 1.0}) == "budget: 1.0\n"


def test_differences_are_said_by_place() -> None:
    before = {"budget": 9, "mechanisms": {"a": {"let": {"y": "x"}}, "b": {}}, "goal": "learn"}
    after = {"budget": 7, "mechanisms": {"a": {"let": {"y": "2 * x", "z": "1"}}}, "goal": {"learn": ["k"]}}
    assert differences(before, after) == [
        "budget: 9 → 7",
        "law b is gone: it was {}",
        "mechanisms.a.let.y: x → 2 * x",
        "formula z of mechanisms.a is new: 1",
        "goal: learn → {learn: [k]}",
    ]
    assert differences(before, before) == []


_LAWS: dict[str, tuple[tuple[float, ...], Any]] = {
    "normal": ((1.0, 2.0), stats.norm(1, 2)),
    "lognormal": ((0.5, 0.6), stats.lognorm(0.6, scale=np.exp(0.5))),
    "halfnormal": ((2.0,), stats.halfnorm(scale=2)),
    "uniform": ((-1.0, 3.0), stats.uniform(-1, 4)),
    "loguniform": ((0.5, 50.0), stats.loguniform(0.5, 50)),
    "beta": ((2.0, 5.0), stats.beta(2, 5)),
    "gamma": ((3.0, 2.0), stats.gamma(3, scale=0.5)),
    "exponential": ((0.5,), stats.expon(scale=2)),
    "studentt": ((4.0, 1.0, 2.0), stats.t(4, 1, 2)),
}


@pytest.mark.parametrize("family", _LAWS)
@pytest.mark.parametrize("cut", [False, True])
def test_densities_are_those_of_scipy(family: str, cut: bool) -> None:
    arguments, law = _LAWS[family]
    low, high = (law.ppf(0.2), law.ppf(0.7)) if cut else (None, None)
    bounds = [None if bound is None else number(float(bound)) for bound in (low, high)]
    parameter = Parameter("k", Prior(family, tuple(map(number, arguments)), *bounds))

    (curve,) = density(parameter, {})

    x, y = np.array(curve.x[1:-1]), np.array(curve.y[1:-1])
    assert y == pytest.approx(law.pdf(x) / (0.5 if cut else 1.0), rel=1e-6)
    if cut:
        assert (curve.x[0], curve.x[-1]) == (pytest.approx(low, rel=1e-5), pytest.approx(high, rel=1e-5))


def test_wide_positive_priors_are_drawn_over_the_logarithm() -> None:
    (curve,) = density(Parameter("k", Prior("lognormal", (number(0.0), number(2.0)))), {})
    assert curve.logarithmic
    area = np.trapezoid(curve.y, np.log(curve.x))
    assert area == pytest.approx(0.99, abs=0.01)


def test_discrete_priors_and_vectors() -> None:
    (counts,) = density(Parameter("k", Prior("poisson", (number(3.0),))), {})
    assert counts.discrete
    assert sum(counts.y) == pytest.approx(1)
    (values,) = density(Parameter("k", Prior("categorical", (number(1.0), number(3.0)), values=(5.0, 2.0))), {})
    assert (values.x, values.y) == ((2.0, 5.0), (0.75, 0.25))
    shares = density(Parameter("k", Prior("dirichlet", tuple(map(number, (1.0, 2.0, 3.0)))), size=3), {})
    assert len(shares) == 3
    hierarchical = find("enzyme-inhibition").parameters[0]
    assert density(hierarchical, {})


@pytest.mark.parametrize("file", ["puromycin.csv", "theophylline.csv", "hubble-1929.csv", "us-macro-changes.csv"])
def test_real_tables_begin_domains_that_load(file: str) -> None:
    text = (Path(catalogue.__file__).parent / "data" / file).read_text()
    columns = read_columns(file, text)

    document = begin("my-table", "What?", file, columns, guessed_roles(columns))

    domain = load_text(as_yaml(document), attachments={table_name(file): text})
    assert list(domain.replays) == ["measurements"]
    assert domain.outcomes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "at least one row"),
        ("a,b\n1\n", "row 2 has 1 cells under 2 headings"),
        ("a,a\n1,2\n", "a heading stands twice"),
        ("a;b\n1;2\n", "separated by semicolons"),
        ('a,b\n"1,2\n', "not a CSV table"),
    ],
)
def test_what_is_no_table_is_said(text: str, message: str) -> None:
    with pytest.raises(DomainError, match=message):
        read_columns("t.csv", text)


def test_roles_that_cannot_be_are_refused() -> None:
    columns = read_columns("t.csv", "dose,note,y\n1,a,\n2,b,3\n")
    for roles, message in (
        ({"dose": "design"}, "none|no column is an outcome"),
        ({"y": "outcome"}, "no column is a design"),
        ({"y": "design", "dose": "outcome"}, "has empty cells"),
        ({"dose": "design", "note": "outcome"}, "is not of numbers"),
    ):
        with pytest.raises(DomainError, match=message):
            begin("n", "t", "t.csv", columns, roles)  # type: ignore[arg-type]
