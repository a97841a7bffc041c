"""A program runs the experiments: JSON on its standard input, JSON on its standard output.

It reads one object, ``{"design": {name: value}, "suggestion": id, "attempt": n, "domain": name}``, and writes one:
``{"outcome": {name: number or null}}``, or ``{"failed": "why"}``. It is started without a shell, in an empty folder of
its own, with a bare environment, and is ended with all its children when its time is up.
"""

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from torch import Tensor

from domains.errors import DomainError
from domains.worlds import Worlds
from meta_learner.belief import History
from meta_learner.policies.base import Pool
from orchestrator.commands import Command
from orchestrator.errors import OrganonError

MAX_OUTPUT = 1_000_000  # bytes
_SAID = 500  # characters of what a program wrote that are told
_TICK = 0.5  # seconds between looks at the clock


class ExperimentFailedError(OrganonError):
    """An experiment brought no outcome; the message is the reason."""


class CommandLaboratory:
    """A program from the list of the settings. Nobody knows the truth."""

    worlds: Worlds | None = None

    def __init__(self, name: str, command: Command) -> None:
        self.name, self.command = name, command

    def pool(self, history: History) -> Pool | None:
        del history
        return None

    def perform(self, designs: Tensor, history: History) -> Tensor:
        del designs, history
        raise DomainError("a program is asked about one suggestion at a time: ask(question)")

    def ask(self, question: Mapping[str, Any], tick: Callable[[], None]) -> dict[str, Any]:
        """What the program answers as ``outcome``; ExperimentFailedError with the reason where it does not.

        tick: called about twice a second while it runs.
        """
        with tempfile.TemporaryDirectory(prefix="organon-command-") as folder:
            process = self._start(folder)
            try:
                output, complaint = _converse(process, json.dumps(question).encode(), self.command.seconds, tick)
            finally:
                _end(process)
        return self._read(process.returncode, output, complaint)

    def _start(self, folder: str) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                self.command.run,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": folder, "TMPDIR": folder},
                close_fds=True,
                start_new_session=True,
            )
        except OSError as error:
            raise ExperimentFailedError(f"{self.command.run[0]} cannot be started: {error.strerror}") from None

    def _read(self, status: int, output: bytes, complaint: bytes) -> dict[str, Any]:
        if status != 0:
            how = f"signal {-status}" if status < 0 else f"status {status}"
            raise ExperimentFailedError(f"the program ended with {how}{_said(complaint)}")
        try:
            answer = json.loads(output)
        except ValueError:
            raise ExperimentFailedError(f"the program's output is not JSON: {_shown(output)!r}") from None
        if isinstance(answer, dict) and answer.keys() == {"failed"}:
            raise ExperimentFailedError(f"the program says: {str(answer['failed'])[:_SAID]}")
        if not isinstance(answer, dict) or not isinstance(answer.get("outcome"), dict) or len(answer) != 1:
            raise ExperimentFailedError(
                f'the program is to answer {{"outcome": {{…}}}} or {{"failed": "why"}}; found {_shown(output)!r}'
            )
        return dict(answer["outcome"])


def _converse(
    process: "subprocess.Popen[bytes]", question: bytes, seconds: float, tick: Callable[[], None]
) -> tuple[bytes, bytes]:
    """Write the question, read both outputs to their ends; ExperimentFailedError where time or room is up."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with suppress(BrokenPipeError), process.stdin:  # a question is smaller than a pipe's buffer
        process.stdin.write(question)
    deadline = time.monotonic() + seconds
    read = {process.stdout: bytearray(), process.stderr: bytearray()}
    left = list(read)
    while left or not _has_ended(process):
        tick()
        if time.monotonic() > deadline:
            raise ExperimentFailedError(f"the program took longer than its {seconds:g} seconds and was ended")
        if not left:
            time.sleep(0.01)
            continue
        for pipe in select.select(left, [], [], _TICK)[0]:
            part = os.read(pipe.fileno(), 65536)
            if not part:
                left.remove(pipe)
            read[pipe] += part
            if len(read[pipe]) > MAX_OUTPUT:
                raise ExperimentFailedError(f"the program wrote more than {MAX_OUTPUT} bytes and was ended")
    return bytes(read[process.stdout]), bytes(read[process.stderr])


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether the program has ended. It is not yet waited for, so that its number still names its group."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the program and whatever it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _said(complaint: bytes) -> str:
    return f"; it said: {_shown(complaint[-_SAID:])}" if complaint.strip() else ""


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip()[:_SAID]
