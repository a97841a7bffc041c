"""The study of adaptation from end to end, on a small question: agents, kept runs, table, document and picture."""

from pathlib import Path

import pytest

from meta_learner.evaluation import results
from orchestrator.agents import agent_store
from orchestrator.settings import Settings
from tests.benchmarks import adaptation_study
from tests.benchmarks.page import page
from tests.orchestrator.test_cli_adaptation import STEEP

PARTS = [
    "universal", "universal, adapted", "scratch", "scratch, drawn", "scratch, longer", "scratch, longer, drawn", "maml",
    "maml, drawn", "random", "expected-information-gain",
]  # fmt: skip
FEW = ("--minutes", "0", "--longer", "2", "--follow", "2", "--families", "maml", "--runs", "6")
SMALL = ("--particles", "60", "--contrasts", "200", "--training-contrasts", "16")


def test_it_goes_on_where_it_was_and_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORGANON_HOME", str(tmp_path / "home"))
    files = [tmp_path / f"{name}.yaml" for name in ("steep", "other")]
    for file in files:
        file.write_text(STEEP.replace("name: steep", f"name: {file.stem}"), encoding="utf-8")
    out, figure = tmp_path / "results" / "study.json", tmp_path / "study.html"
    places = ("--keep", str(tmp_path / "kept"), "--out", str(out), "--figure", str(figure))
    monkeypatch.setattr("sys.argv", ["adaptation_study", *map(str, files), *FEW, *SMALL, *places])

    adaptation_study.main()
    document = results.load(out)
    assert [row[1] for row in document["rows"]] == PARTS * 3
    assert [row[0] for row in document["rows"]] == [name for name in ("steep", "other", "all") for _ in PARTS]
    assert all(len(row) == len(document["columns"]) for row in document["rows"])
    by_part = {row[1]: row for row in document["rows"][: len(PARTS)]}
    assert by_part["universal"][5] is None  # beside itself
    assert by_part["expected-information-gain"][5].startswith(("0.", "1."))
    decided, short, long = (
        int(by_part[part][2].replace(",", "")) for part in ("universal, adapted", "scratch", "scratch, longer")
    )
    assert decided <= short < decided + 8  # four episodes of two experiments an update
    assert 2 * decided <= long < 2 * decided + 8
    assert {group["budget"] for group in document["groups"]} == {2.0}
    assert "plotly" in figure.read_text()
    assert "## How many experiments to become good in a field not seen before?" in page(out.parent)

    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    agents = agent_store(Settings(home=tmp_path / "home")).names()
    adaptation_study.main()
    assert results.load(out)["rows"] == document["rows"]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()} == kept
    assert agent_store(Settings(home=tmp_path / "home")).names() == agents
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(document["rows"])
