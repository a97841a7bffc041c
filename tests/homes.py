"""Homes with real processes in them, for tests and for reports."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from experiments_db.database import Database, connect
from orchestrator.export import export
from orchestrator.services import campaign_status

ORGANON = [sys.executable, "-m", "orchestrator.cli.main"]
ROOT = Path(__file__).resolve().parents[1]
# Small, and yet several blocks: runs advance three at a time, and a task works for a fraction of a second.
SMALL = {"ORGANON_BLOCK_RUNS": "3", "ORGANON_TASK_SECONDS": "0.3"}
PATIENCE = 150  # seconds that a campaign of some seconds may take on a machine with other things to do


class Home:
    """An ORGANON_HOME, and the commands and processes in it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ORGANON_")}
        self.environment = {**kept, "ORGANON_HOME": str(folder), "PYTHONPATH": str(ROOT), **settings}
        self._started: list[subprocess.Popen[bytes]] = []

    def run(self, *arguments: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
        """A command, to its end, whatever its status."""
        return subprocess.run(
            [*ORGANON, *arguments],
            env=self.environment,
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """What a command that succeeds prints with --json."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that goes on until it is stopped."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "output.log").open("ab") as output:
            process = subprocess.Popen(
                [*ORGANON, *arguments],
                env=self.environment,
                cwd=self.folder.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def create(self, *arguments: str) -> str:
        return str(self.json("campaign", "create", *arguments)["id"])

    def status(self, campaign: str) -> dict[str, Any]:
        """What ``campaign show --json`` prints, without the second that starting a command takes."""
        with self.record() as database:
            return campaign_status(database, campaign)

    def follow(self, campaign: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The campaign's status as soon as ``until`` holds for it; the test fails if that takes too long."""
        deadline = time.monotonic() + PATIENCE
        with self.record() as database:
            while not until(status := campaign_status(database, campaign)):
                assert time.monotonic() < deadline, f"{status}\n{self.logs()}"
                assert status["status"] != "failed", status["message"]
                time.sleep(0.1)
        return status

    @contextmanager
    def record(self) -> Iterator[Database]:
        """The record of this home, for a while."""
        database = connect(self.environment.get("ORGANON_DATABASE_URL") or f"sqlite:///{self.folder / 'organon.db'}")
        try:
            yield database
        finally:
            database.close()

    def await_end(self, campaign: str) -> dict[str, Any]:
        """The campaign's status once it has ended, well or badly."""
        deadline = time.monotonic() + PATIENCE
        while (status := self.status(campaign))["status"] in ("scheduled", "running"):
            assert time.monotonic() < deadline, f"{status}\n{self.logs()}"
            time.sleep(0.2)
        return status

    def finish(self, campaign: str) -> dict[str, Any]:
        return self.follow(campaign, lambda status: status["status"] == "finished")

    def export(self, campaign: str) -> list[dict[str, str]]:
        """A campaign's experiments without the time that decisions took, which no two runs share."""
        path = self.folder / f"{campaign}.csv"
        with self.record() as database:
            export(database, campaign, path)
        return rows_of(path)

    def processes(self, *words: str) -> list[psutil.Process]:
        """Processes of this home whose command line holds these words."""
        return [process for process in psutil.process_iter() if self._is_ours(process, words)]

    @property
    def embedded(self) -> bool:
        """Whether database and broker are Organon's own."""
        return "ORGANON_BROKER_URL" not in self.environment

    def broker(self) -> psutil.Process:
        """The embedded broker."""
        (server,) = self.processes("valkey-server")
        return server

    def pools(self) -> list[psutil.Process]:
        """The main processes of the worker pools."""
        ours = self.processes("orchestrator.pool")
        numbers = {process.pid for process in ours}
        return [process for process in ours if process.ppid() not in numbers]

    def empties(self, seconds: float = 15) -> bool:
        """Whether no process of this home is left after a while."""
        deadline = time.monotonic() + seconds
        while left := self.processes():
            if time.monotonic() > deadline:
                print("left behind:", [process.cmdline() for process in left])
                return False
            time.sleep(0.1)
        return True

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a started command in good order."""
        process.send_signal(signal.SIGTERM)
        process.wait(30)

    def logs(self) -> str:
        files = [self.folder / "output.log", *sorted((self.folder / "logs").glob("*.log"))]
        return "\n".join(f"--- {file}\n{file.read_text(errors='replace')[-3000:]}" for file in files if file.exists())

    def close(self) -> None:
        """End everything, whatever state it is in: commands first, for they start the rest again."""
        for process in self._started:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
        deadline = time.monotonic() + 10
        while (left := self.processes()) and time.monotonic() < deadline:
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            time.sleep(0.05)

    def _is_ours(self, process: psutil.Process, words: tuple[str, ...]) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            command = " ".join(process.cmdline())
            # The server writes its title over its environment; it works in its own folder.
            ours = (
                process.environ().get("ORGANON_HOME") == str(self.folder)
                or Path(process.cwd()) == self.folder / "broker"
            )
        except psutil.Error:
            return False
        return ours and all(word in command for word in words)


def rows_of(export_file: Path) -> list[dict[str, str]]:
    """The rows of an exported table without the time that decisions took."""
    with export_file.open(encoding="utf-8", newline="") as file:
        return [{name: cell for name, cell in row.items() if name != "decision_ms"} for row in csv.DictReader(file)]
