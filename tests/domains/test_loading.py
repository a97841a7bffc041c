"""Loading, the catalogue, identity, round trips, and what loading costs."""

import contextlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domains import catalogue, loading
from domains.errors import DocumentError, DomainError
from domains.loading import attachments, dump, find, load_file, load_text
from domains.reading import core_scalar, read_text

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", catalogue.names())
def test_catalogue(name: str) -> None:
    domain = find(name)
    assert domain.name == name == catalogue.path(name).stem
    assert load_text(domain.text, attachments=attachments(domain)).identity == domain.identity
    again = load_text(dump(domain), attachments=attachments(domain))
    assert (again.identity, again.parsed) == (domain.identity, domain.parsed)


def test_the_example_of_the_contract_loads(example: str) -> None:
    domain = load_text(example)
    assert [mechanism.name for mechanism in domain.mechanisms] == ["competitive", "non-competitive", "mixed"]
    mixed = domain.mechanisms[2]
    assert [parameter.name for parameter in mixed.parameters] == ["noise", "vmax", "km", "ki", "alpha"]
    assert [name for name, _ in mixed.let] == ["v", "rate"]
    assert domain.mechanisms[0].weight == 2
    assert domain.shared_constants == {"noise": 0.05}
    assert [(d.kind, d.scale, d.low, d.high, d.options) for d in domain.designs] == [
        ("real", "log", 0.05, 20, ()),
        ("real", "linear", 0, 10, ()),
        ("choice", "linear", 0, 0, ("wild-type", "mutant")),
        ("integer", "linear", 1, 4, ()),
    ]
    assert (domain.budget, domain.goal.kind, len(domain.constraints), domain.cost is not None) == (20, "learn", 1, True)
    assert (domain.outcomes[0].family, domain.outcomes[0].unit) == ("normal", "mM/min")
    again = load_text(dump(domain))
    assert (again.identity, again.parsed) == (domain.identity, domain.parsed)


def test_identity_ignores_order_comments_and_place(example: str, tmp_path) -> None:
    def shuffled(value, dice):
        if isinstance(value, dict):
            return {key: shuffled(value[key], dice) for key in dice.sample(sorted(value), len(value))}
        return value

    domain = load_text(example)
    object.__setattr__(domain, "parsed", shuffled(domain.parsed, random.Random(1)))
    assert next(iter(domain.parsed)) != "format"
    path = tmp_path / "elsewhere.yaml"
    path.write_text("# a comment\n" + dump(domain))
    assert load_file(path).identity == domain.identity
    assert load_text(example.replace("budget: 20", "budget: 21")).identity != domain.identity


def test_identity_holds_the_tables() -> None:
    domain = find("expanding-universe")
    tables = attachments(domain)
    assert list(tables) == ["hubble-1929.csv"]
    changed = {name: text.replace("170", "171") for name, text in tables.items()}
    assert load_text(domain.text, attachments=changed).identity != domain.identity
    with pytest.raises(DocumentError, match=r"'hubble-1929.csv' is not attached"):
        load_text(domain.text)
    broken = {name: text.replace("170", "many") for name, text in tables.items()}
    with pytest.raises(DocumentError, match=r"replays.hubble-1929: hubble-1929.csv:2: column 'velocity_km_s': 'many'"):
        load_text(domain.text, attachments=broken)


@given(st.text())
def test_dumped_texts_come_back(text: str) -> None:
    dumped = loading.yaml.dump(
        {"a": [text], "b": {"c": text}}, Dumper=loading._Dumper, allow_unicode=True, width=110, default_flow_style=None
    )
    try:
        assert read_text(dumped).data == {"a": [text], "b": {"c": text}}
    except DocumentError as error:  # characters that no document can hold in the first place
        assert "character" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "text", ["1e-4", "010", "on", "null", "~", "0x1", "1_0", ".inf", "a (b", "- a", "a: b", "#a", "", " a"]
)
def test_awkward_texts_come_back(text: str) -> None:
    dumped = loading.yaml.dump({"a": [text]}, Dumper=loading._Dumper, default_flow_style=None)
    assert read_text(dumped).data == {"a": [text]}


def test_find(tmp_path, monkeypatch, example: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(example)
    assert find("mine.yaml").file == tmp_path / "mine.yaml"
    assert find("./mine.yaml").identity == load_text(example).identity
    with pytest.raises(DomainError, match=r"did you mean 'enzyme-kinetics'.*organon domain list"):
        find("enzyme-kinetic")
    with pytest.raises(DomainError, match="organon domain list"):
        find("zzz")
    with pytest.raises(DomainError, match=r"none\.yml: cannot be read: No such file"):
        find("none.yml")
    with pytest.raises(KeyError):
        catalogue.path("../secrets")


def test_loading_is_light_and_fast() -> None:
    code = (
        "import sys; from domains import catalogue, loading; [loading.find(name) for name in catalogue.names()];"
        "heavy = {'torch', 'numpy', 'scipy', 'pydantic', 'domains.compiler'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
    best = min(_seconds(lambda: find("enzyme-kinetics")) for _ in range(5))
    assert best < 0.05, f"{best * 1000:.0f} ms"


def _seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


_VALUES = st.recursive(
    st.sampled_from(
        [None, True, 0, -1, 2, 1e300, "", "x", "km", "rate", "ki[0]", "learn", "min(a", "enzyme", "'a'", "é"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["prior", "normal", "km", "at", "let", "state", "mean", "_", "real", "1"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=4,
)


def _paths(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _paths(child, (*path, key))


@pytest.mark.parametrize("fixture", ["example", "full"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), new=_VALUES)
def test_any_document_loads_or_is_refused_with_a_reason(request, fixture: str, data, new) -> None:
    document = read_text(request.getfixturevalue(fixture)).data
    path = data.draw(st.sampled_from([path for path in _paths(document) if path]))
    place = document
    for key in path[:-1]:
        place = place[key]
    if data.draw(st.booleans()):
        place[path[-1]] = new
    else:
        del place[path[-1]]
    text = loading.yaml.dump(document, Dumper=loading._Dumper, sort_keys=False, allow_unicode=True)
    with contextlib.suppress(DocumentError):
        assert load_text(text).identity


def test_plain_scalars_that_are_texts() -> None:
    assert [core_scalar(text) for text in ("yes", "1e", "0b1")] == ["yes", "1e", "0b1"]
