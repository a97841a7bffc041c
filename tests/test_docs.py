"""Docs under test: what README, ARCHITECTURE and CHANGELOG name exists, and README's examples work."""

import re
from pathlib import Path

import pytest
import typer

from domains import catalogue
from domains.loading import load_text
from meta_learner.belief import BeliefSettings
from orchestrator.cli.main import app
from orchestrator.investigation import Investigation
from orchestrator.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md", "docker/README.md", "domains/FORMAT.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, index: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)[index]


def commands() -> set[str]:
    click = typer.main.get_command(app)
    found = set()
    for name, command in click.commands.items():  # type: ignore[attr-defined]
        found.add(name)
        found |= {f"{name} {below}" for below in getattr(command, "commands", {})}
    return found


@pytest.mark.parametrize("doc", DOCS)
def test_commands_named_exist(doc: str) -> None:
    text = (ROOT / doc).read_text(encoding="utf-8")
    named = set(re.findall(r"organon ((?:agent|domain|campaign|db|lab|token) [a-z]+|[a-z]+)", text)) - {
        "agent",
        "domain",
        "campaign",
        "token",
    }
    assert named - commands() == set()


def test_every_command_is_in_the_readme() -> None:
    table = README.split("## Commands")[1].split("## Settings")[0]
    for command in commands():
        assert f"`{command.split()[-1]}`" in table or f"organon {command}" in table, command


def test_settings_named_exist_and_all_are_named() -> None:
    named = {name for doc in DOCS for name in re.findall(r"ORGANON_[A-Z_]+", (ROOT / doc).read_text(encoding="utf-8"))}
    known = {f"ORGANON_{name.upper()}" for name in Settings.model_fields}
    assert named == known


def test_make_targets_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for doc in DOCS:
        for target in re.findall(r"`?make ([a-z]+)", (ROOT / doc).read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE) or target == "sure", target


def test_files_named_exist() -> None:
    for doc in DOCS:
        text = (ROOT / doc).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:domains|meta_learner|experiments_db|orchestrator|ui|tests)/[\w/.]*)`", text):
            assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), path


def test_domains_named_exist() -> None:
    assert {"enzyme-kinetics", "expanding-universe", "source-location"} <= set(catalogue.names())


def test_the_readme_domain_and_notebook_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANON_HOME", str(tmp_path))  # whose default policy nobody has changed
    domain = load_text(block("yaml"))
    question = Investigation(domain, settings=BeliefSettings(particles=200))
    design = question.ask()
    assert 0 <= float(design["minutes"]) <= 60
    question.tell(design, {"reading": 44.1})
    assert "after 1 experiment" in question.finding()
