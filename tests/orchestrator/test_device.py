"""The device that tensors lie on: told once, by a setting or an option."""

import pytest
import torch
from typer.testing import CliRunner

from orchestrator.cli.main import app
from orchestrator.device import placed
from orchestrator.errors import OrganonError
from orchestrator.settings import load_settings


def test_on_the_cpu_nothing_is_set() -> None:
    with placed("cpu"):
        assert torch.get_default_device() == torch.device("cpu")
        assert torch.overrides._get_current_function_mode_stack() == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("tpu", "'tpu' is none that is known"), ("cuda:x", "'cuda:x' is none"), ("cuda:99", "sees .* CUDA devices")],
)
def test_a_device_that_is_not_there_is_refused(name: str, message: str) -> None:
    with pytest.raises(OrganonError, match=message):
        placed(name)


def test_the_setting_takes_known_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANON_DEVICE", "cuda:1")
    assert load_settings().device == "cuda:1"
    monkeypatch.setenv("ORGANON_DEVICE", "gpu")
    with pytest.raises(OrganonError, match="ORGANON_DEVICE='gpu' is not usable"):
        load_settings()


def test_a_benchmark_takes_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["benchmark", "death-process", "--policy", "random", "--runs", "2", "--contrasts", "10", "--blind"]
    told = CliRunner().invoke(app, [*command, "--device", "cuda:99"])
    assert isinstance(told.exception, OrganonError)
    monkeypatch.setenv("ORGANON_DEVICE", "cuda:99")
    assert isinstance(CliRunner().invoke(app, command).exception, OrganonError)
    assert CliRunner().invoke(app, [*command, "--device", "cpu", "--json"]).exit_code == 0
