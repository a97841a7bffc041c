"""``organon domain``: check of one and of several, new, and show."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from domains import catalogue
from domains.errors import DomainError
from orchestrator.cli.domain import app, wanted_domains

IDLE = """\
format: 1
name: idle-setting
designs: {x: {real: [0, 1]}, colour: {choice: [red, blue]}}
parameters: {a: {prior: {normal: [1, 0.5]}}}
mechanisms: {line: {let: {mean: a * x}}}
outcomes: {y: {normal: {mean: mean, sd: 0.3}}}
budget: 5
goal: learn
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def organon(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_warning_says_what_to_do_and_is_no_failure(folder: Path) -> None:
    (folder / "idle.yaml").write_text(IDLE)
    ended = organon("check", "idle.yaml")
    assert ended.exit_code == 0
    assert "warning: setting colour: changes no outcome under any law; drop it" in ended.stdout
    assert "The domain is in order." in ended.stdout


def test_what_is_not_finite_is_a_failure(folder: Path) -> None:
    (folder / "idle.yaml").write_text(IDLE.replace("a * x}", "sqrt(a - 1) * x}"))
    ended = organon("check", "idle.yaml", "--json")
    assert ended.exit_code == 2
    report = json.loads(ended.stdout)
    assert report["ok"] is False
    assert report["laws"][0]["region"]["name"] == "a"
    assert [remark["level"] for remark in report["remarks"]] == ["failure", "warning"]


def test_json_carries_everything_of_one_domain() -> None:
    ended = organon("check", "psychometric-function", "--json")
    report = json.loads(ended.stdout)
    assert ended.exit_code == 0
    assert set(report) == {
        "name", "identity", "ok", "laws", "edges", "candidates", "pairs", "remarks", "replays",
    }  # fmt: skip
    (pair,) = report["pairs"]
    assert pair["laws"] == ["attentive", "lapsing"]
    assert 0 < pair["single"]["error"] < pair["single"]["nats"] < 0.693
    assert report["laws"][0]["seconds"] > 0
    assert report["laws"][1]["influence"]["parameters"]["lapse"] == {"outcomes": True, "objective": False}


def test_several_domains_give_a_list_and_a_line_each(folder: Path) -> None:
    (folder / "idle.yaml").write_text(IDLE)
    names = ["source-location-unit", "idle.yaml", "source-location-unit"]
    assert [report["name"] for report in json.loads(organon("check", *names, "--json").stdout)] == [
        "source-location-unit",
        "idle-setting",
    ]
    lines = organon("check", *names).stdout.splitlines()
    assert lines[:2] == ["source-location-unit: in order", "idle-setting: in order"]
    assert lines[2].startswith("  warning: setting colour: ")
    (folder / "idle.yaml").write_text(IDLE.replace("a * x}", "log(-1 - x) * a}"))
    ended = organon("check", *names)
    assert ended.exit_code == 2
    assert "idle-setting: not in order" in ended.stdout


def test_all_means_the_catalogue() -> None:
    assert wanted_domains([], True) == list(catalogue.names())
    assert wanted_domains(["mine.yaml", "okuns-law"], True)[:2] == ["mine.yaml", "okuns-law"]
    assert len(wanted_domains(["mine.yaml", "okuns-law"], True)) == len(catalogue.names()) + 1


def test_no_domain_named() -> None:
    ended = organon("check")
    assert isinstance(ended.exception, DomainError)
    assert "--all" in str(ended.exception)


def test_new_check_show(folder: Path) -> None:
    said = organon("new", "crop-trial")
    assert said.exit_code == 0
    for words in ("crop-trial.yaml is written", "organon domain check crop-trial.yaml", "campaign run --domain"):
        assert words in said.stdout
    assert "The domain is in order." in organon("check", "crop-trial.yaml").stdout
    shown = organon("show", "crop-trial.yaml").stdout
    for words in (
        "noise = 0.4",
        "expected = site·(unfertilised + gain·nitrogen / (half + nitrogen))",
        "54.6 (24 to 124)",
    ):
        assert words in shown
    assert isinstance(organon("new", "crop-trial").exception, DomainError)
    copied = json.loads(organon("new", "mine", "--like", "enzyme-kinetics", "--json").stdout)
    assert copied == {"document": "mine.yaml", "tables": ["data/puromycin.csv"]}
    assert (folder / "data" / "puromycin.csv").is_file()


def test_latex() -> None:
    shown = organon("show", "enzyme-kinetics", "--latex").stdout
    assert r"\frac{\mathit{vmax} \cdot \mathit{substrate}}{\mathit{km} + \mathit{substrate}}" in shown


@pytest.mark.parametrize("name", catalogue.names())
def test_show_writes_a_domain_on_one_page(name: str) -> None:
    shown = organon("show", name)
    assert shown.exit_code == 0
    for part in ("What can be set", "Law: ", "What comes back", "What is wanted", "References"):
        assert part in shown.stdout
    assert "**" not in shown.stdout
    assert "\u00a0" not in shown.stdout


def test_show_and_new_need_no_torch() -> None:
    code = (
        "import sys\nfrom orchestrator.cli.main import main\n"
        "for words in (['show', 'theophylline'], ['show', 'gene-switch', '--latex'], ['new', 'mine']):\n"
        "    sys.argv = ['organon', 'domain', *words]\n"
        "    try: main()\n    except SystemExit as left: assert not left.code\n"
        "print('torch' in sys.modules, 'scipy.stats' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False"
