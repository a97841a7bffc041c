"""BENCHMARKS.md is what the files of results give, and shows settings apart."""

from pathlib import Path
from typing import Any

import pytest

from meta_learner.evaluation import results
from tests.benchmarks import harness_check
from tests.benchmarks.page import PAGE, page

MACHINE = {"processor": "one", "cores": 2, "torch": "2", "device": "cpu", "threads": 1, "processes": 1}
TOLD = {"organon": "0.1.0", "commit": None, "date": "2026-01-01 00:00", "machine": MACHINE}


def row(policy: str, contrasts: int) -> dict[str, Any]:
    estimate = {"mean": 2.0, "se": 0.01}
    bounds = {name: estimate for name in ("spce", "snmc", "information")} | {"sace": None, "svnmc": None}
    numbers = {"policy": policy, "runs": 500, "budget": 4.0, "experiments": 4, "contrasts": contrasts, "seed": 1}
    rest = {"identity": "x", "capped": 0.25, "decision_seconds": 0.01, "particles": 2000}
    return {**numbers, **rest, **bounds, **TOLD}


def test_the_page_is_what_the_files_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make page"


def test_settings_have_tables_of_their_own_and_published_rows_their_setting(tmp_path: Path) -> None:
    rows = [row("random", 1_000_000), row("sobol", 1_000_000), row("random", 50)]
    document = {"kind": "benchmark", "domain": "death-process", "title": "How fast?", "rows": rows}
    results.save(tmp_path / "death-process.json", document)
    found = page(tmp_path)
    first, second = found.split("T = 4, L = ")[1:]
    assert first.count("| random |") == first.count("| sobol |") == second.count("| random |") == 1
    assert "| *DAD, published" in first
    assert "published" not in second
    assert "| 2.000 ± 0.010 |" in first
    assert "Beware" not in first
    results.save(tmp_path / "death-process.json", {**document, "rows": [{**rows[0], "failed": 3}]})
    assert "- Beware: in 3 of 500 runs of random the belief came to rule out" in page(tmp_path)


def test_what_rows_of_one_table_do_not_share_is_said(tmp_path: Path) -> None:
    ours = {**row("expected-information-gain", 50), "moves": 5, "proposals": 4000, "block_runs": 25}
    blind = {**ours, "policy": "random", "information": None, "particles": None, "moves": None, "proposals": None}
    document = {"kind": "benchmark", "domain": "death-process", "title": "How fast?", "rows": [ours, blind]}
    results.save(tmp_path / "death-process.json", document)
    found = page(tmp_path)
    assert "T = 4, L = 50, seed 1." in found
    assert "| particles |\n" in found  # nothing else differs
    assert "| random | 500 | 2.000 ± 0.010 | 2.000 ± 0.010 |  |  |  | 25% | 10 |  |\n" in found
    assert "- expected-information-gain, random: Organon 0.1.0" in found
    another = {**ours, "seed": 7, "particles": 500, "block_runs": 100, "date": "2026-02-02 00:00"}
    results.save(tmp_path / "death-process.json", {**document, "rows": [ours, blind, another]})
    found = page(tmp_path)
    assert "T = 4, L = 50.\n" in found
    assert "| particles | seed | runs a block |\n" in found
    assert "| 500 | 7 | 100 |\n" in found


def test_other_kinds_are_shown_as_they_describe_themselves(tmp_path: Path) -> None:
    table = {"kind": "calibration", "title": "Coverage", "columns": ["level", "covered"], "rows": [["50 %", 0.5]]}
    results.save(tmp_path / "calibration.json", {**table, "note": "Of 1,000 worlds.", **TOLD})
    earlier = {"kind": "peers", "title": "Peers", "columns": ["a"], "rows": [[1]], "version": "0", "commit": "c"}
    results.save(tmp_path / "peers.json", {**earlier, "machine": "x86, one core"})
    results.save(tmp_path / "elsewhere.json", {"kind": "recovery", "rows": []})
    found = page(tmp_path)
    assert "## Coverage" in found
    assert "| level | covered |\n| --- | --- |\n| 50 % | 0.5 |" in found
    assert "Of 1,000 worlds." in found
    assert "- Organon 0, commit c; x86, one core" in found
    assert "recovery" not in found


def test_calibration_is_shown_by_statistic_and_by_domain(tmp_path: Path) -> None:
    common = {"about": "all domains", "runs": 100, "p": 0.4, "alpha": 1e-6, "of": 0, "sd": 1.0, "low": 0, "high": 99}
    results_ = [
        {**common, "name": "coverage 90%", "of": 200, "observed": 178, "mean": 180.0, "low95": 170, "high95": 189},
        {**common, "name": "laws in tenth 10", "of": 50, "observed": 49, "mean": 48.0, "low95": 45, "high95": 50},
        {**common, "name": "log score", "observed": 20.0, "mean": 25.0, "low95": 10.0, "high95": 40.0},
        {**common, "about": "ces", "name": "shift of a", "observed": 9, "mean": 0, "low95": -8, "high95": 8, "p": 2e-6},
    ]
    document = {"kind": "calibration", "title": "Right?", "note": "Inside: all.", "seed": 3, "results": results_}
    document |= {"columns": ["domain", "exact belief"], "rows": [["ces", [1.23456, 2.0]]]}
    document |= {"settings": {"policy": "random", "particles": 2000}, "power": [{"what": "too narrow", "ces": 0.5}]}
    results.save(tmp_path / "calibration.json", {**document, **TOLD})
    found = page(tmp_path)
    assert "| coverage of central 90 % intervals | 200 | 89.0% | 90.0% | 85.0% to 94.5% | 0.4 |" in found
    assert "| laws that hold, of those given 90 to 100 % | 50 | 98.0% | 96.0% | 90.0% to 100.0% | 0.4 |" in found
    assert "| log score of laws, nats a world | 100 worlds | 0.200 | 0.250 | 0.100 to 0.400 | 0.4 |" in found
    assert "Nearest to its limit: shift of a of ces, p = 2e-06 where 1e-06 would count." in found
    assert "| ces | 1.235 to 2 |" in found
    assert "| too narrow | 50.0% |" in found
    assert "random, 2,000 particles, seed 3." in found
    assert "- Organon 0.1.0" in found


def test_the_harness_check_writes_a_table_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "harness-check.json"
    monkeypatch.setattr("sys.argv", ["harness_check", "--runs", "2", "--contrasts", "100", "--out", str(file)])
    harness_check.main()
    assert capsys.readouterr().out.count("\n") == len(results.load(file)["rows"]) == 2
    found = page(tmp_path)
    assert "## Harness check: published random designs reproduced" in found
    assert "| source-location-unit | random | 2 |" in found
    assert "L = 100, T = 30; nats a run" in found
