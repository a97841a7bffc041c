"""The page of the format is true: its blocks load, its tables name what the code has, its messages are said."""

import re
from pathlib import Path

import pytest

from domains import expressions as language
from domains import measurements, python_domains, reading, validation
from domains.conformance import check_domain
from domains.document import GoalKind
from domains.errors import DocumentError
from domains.loading import _Dumper, load_text, yaml
from domains.reading import read_text
from domains.validation import (
    aims,
    designs,
    dynamics,
    families,
    laws,
    outcomes,
    parameters,
    replays,
    report,
    validate,
)
from orchestrator import checking

PAGE = (Path(validation.__file__).parents[1] / "FORMAT.md").read_text(encoding="utf-8")
SECTIONS = dict(zip(*[iter(re.split(r"^## (.*)\n", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True))
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
BASE = BLOCKS[0]
TABLE = {"growth.csv": "conc,mu\n0.5,0.3\n10,0.9\n"}


def rows(section: str) -> list[list[str]]:
    """The cells of a section's first table, without its head."""
    table = re.search(r"(?:^\|.*\n)+", SECTIONS[section], re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table[0].splitlines()[2:]]


def named(section: str) -> list[str]:
    """The words in backquotes in the first column of a section's table."""
    return [word for row in rows(section) for word in re.findall(r"`([^`]+)`", row[0])]


def merged(below: dict, above: dict) -> dict:
    pairs = {key: (below.get(key), value) for key, value in above.items()}
    both = {k: merged(a, b) if isinstance(a, dict) and isinstance(b, dict) else b for k, (a, b) in pairs.items()}
    return {**below, **both}


def test_the_first_document_is_whole_and_runs() -> None:
    assert load_text(BASE).name == "growth-on-sugar"
    assert sum(block.startswith("format:") for block in BLOCKS) == 1


@pytest.mark.parametrize("block", BLOCKS[1:], ids=lambda block: block.strip().splitlines()[0])
def test_every_block_adds_to_the_first_document(block: str) -> None:
    data = merged(read_text(BASE).data, read_text(block).data)
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    assert validate(read_text(text), TABLE).identity


def test_the_steps_add_up() -> None:
    data = read_text(BASE).data
    for block in re.findall(r"^```yaml\n(.*?)^```", SECTIONS["A first domain, step by step"], re.DOTALL | re.M)[1:-1]:
        data = merged(data, read_text(block).data)
    domain = load_text(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True))
    assert [design.name for design in domain.designs] == ["sugar", "strain", "flasks"]
    assert [mechanism.name for mechanism in domain.mechanisms] == ["monod", "blackman", "inhibited"]


def test_the_tables_name_what_the_code_has_and_nothing_else() -> None:
    assert named("The document") == list(validation.KEYS)
    assert named("Designs") == list(designs._KINDS)
    assert named("Dynamics") == ["time", "state", "let", "until", "at"]
    assert set(named("Dynamics")) == set(dynamics._KEYS)
    assert set(named("Replays")) == set(replays._KEYS)
    assert set(named("Expressions")) == set(language.FUNCTIONS)
    assert set(named("Goals")) == {*GoalKind.__args__, "learn: [names]"}  # type: ignore[attr-defined]
    assert {row[0].strip("`") for row in rows("The document") if "needed" in row[1]} == set(validation._REQUIRED)


@pytest.mark.parametrize(
    ("section", "known", "brackets"),
    [("Parameters and priors", families.PRIORS, "[]"), ("Outcomes", families.OUTCOMES, "{}")],
)
def test_the_families_and_their_arguments_are_those_of_the_code(section: str, known, brackets: str) -> None:
    assert named(section) == list(known)
    for family, arguments, *_ in rows(section):
        names = [name for name, _ in known[family.strip("`")]]
        if names:
            assert arguments.strip("`") == f"{brackets[0]}{', '.join(names)}{brackets[1]}"


def test_the_limits_are_those_of_the_code() -> None:
    limits = [
        reading.MAX_BYTES, reading.MAX_DEPTH, reading.MAX_PROBLEMS, language.MAX_LENGTH, language.MAX_DEPTH,
        language.MAX_NODES, report.MAX_FORMULAS, designs.MAX_DESIGNS, designs.MAX_VALUES, parameters.MAX_PARAMETERS,
        parameters.MAX_SIZE, laws.MAX_LETS, laws.MAX_MECHANISMS, dynamics.MAX_STATES, dynamics.MAX_TIMES,
        outcomes.MAX_OUTCOMES, aims.MAX_POINTS, replays.MAX_REPLAYS, measurements.MAX_BYTES,
    ]  # fmt: skip
    assert [row[1] for row in rows("Limits")] == [f"{limit:,}" for limit in limits]
    assert f"{checking._DRAWS:,} worlds" in SECTIONS["What the check says"]
    assert f"more than {checking.ALLOWED_SHARE:.0%}".replace("%", " %") in SECTIONS["What the check says"]


def test_the_problems_shown_are_those_that_are_told() -> None:
    broken = BASE.replace("[0.1, 50]", "[50, 0.1]").replace("fastest * sugar /", "fastest * suger /")
    with pytest.raises(DocumentError) as caught:
        load_text(broken.replace("budget:", "budgett:"), "growth.yaml")
    told = str(caught.value).splitlines()
    shown = re.search(r"```text\n(.*?)```", SECTIONS["What the check says"], re.DOTALL)
    assert shown is not None
    for line in shown[1].splitlines():
        assert line in told


MISTAKES = [[cell.replace("\\", "") for cell in row] for row in rows("Common mistakes")]


@pytest.mark.parametrize(("written", "message"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_the_mistakes_get_the_messages_shown(written: str, message: str) -> None:
    """The line takes the place of the first document's line with this key, or stands among its parameters."""
    line = written.strip("`")
    key = re.split(r"[: ]", line)[0]
    place = re.compile(rf"^( *){key}:.*$", re.MULTILINE)
    text = place.sub(lambda found: found[1] + line, BASE, count=1)
    if text == BASE:
        text = BASE.replace("  spread:", f"  {line}\n  spread:")
    with pytest.raises(DocumentError, match=re.escape(message)):
        load_text(text)


def test_the_python_of_the_page_runs(tmp_path, monkeypatch) -> None:
    (tmp_path / "growth.yaml").write_text(BASE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", SECTIONS["Load, save, hash"], re.DOTALL)
    assert code is not None
    exec(compile(code[1], "FORMAT.md", "exec"), {})  # noqa: S102


def test_links_inside_the_page_lead_somewhere() -> None:
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in SECTIONS}
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= anchors


LAWS_DOCUMENT = """
format: 1
name: two-readings
python: my-laws
designs: {hours: {real: [0.1, 3]}}
parameters: {rate: {prior: {lognormal: [0, 0.5]}}, spread: 0.1}
mechanisms: {decay: {}}
outcomes: {first: {}, second: {}}
budget: 3
goal: learn
"""


def test_the_laws_in_python_of_the_page_keep_to_the_rules(tmp_path, monkeypatch) -> None:
    """Installed as the page says, its entry point, class and simulator pass the conformance suite."""
    entry, description, simulator = re.findall(r"```(?:toml|python)\n(.*?)```", SECTIONS["Laws in Python"], re.DOTALL)
    package, metadata = tmp_path / "my_package", tmp_path / "my_package-1.0.dist-info"
    for folder in (package, metadata):
        folder.mkdir()
    (package / "__init__.py").touch()
    (package / "domain.py").write_text(description, encoding="utf-8")
    (package / "laws.py").write_text(simulator, encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    group, point = entry.strip().splitlines()
    points = f"[{group.split(chr(34))[1]}]\n{point.replace(chr(34), '')}\n"
    (metadata / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(tmp_path))
    python_domains._installed.cache_clear()
    try:
        assert check_domain(load_text(LAWS_DOCUMENT)) == []
    finally:
        python_domains._installed.cache_clear()
        python_domains._loaded.cache_clear()
