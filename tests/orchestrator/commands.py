"""Commands run in the test's own process, as the installed ``organon`` runs them."""

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from orchestrator.cli.main import main


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)


Organon = Callable[..., Ended]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *group: str) -> Organon:
    """Runs ``organon``, or always the commands of one group."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["organon", *group, *arguments])
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as left:
            status = int(left.code or 0)
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return run
