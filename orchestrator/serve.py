"""``organon start``: broker, workers and pages together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from orchestrator.api.loopback import LOOPBACK
from orchestrator.logs import output_of
from orchestrator.page_tokens import check_page_tokens, pages_address, way_in
from orchestrator.ports import check_port_is_free
from orchestrator.settings import Settings
from orchestrator.tokens import check_own_token
from orchestrator.worker import environment, stop_on_sigterm, workers

_STOP_SECONDS = 10.0


def serve(settings: Settings, processes: int, say: Callable[[str], None], *, with_api: bool = False) -> None:
    """Run everything until SIGTERM or SIGINT; pages and HTTP interface are restarted if they end."""
    check_page_tokens(settings)
    check_port_is_free(settings.ui_address, settings.ui_port, "the pages", "--port or ORGANON_UI_PORT")
    if with_api:
        check_own_token(settings)
        check_port_is_free(settings.api_address, settings.api_port, "the HTTP interface", "ORGANON_API_PORT")
    stop_on_sigterm()
    starts = [_start_pages, *([_start_api] if with_api else [])]
    with workers(settings, processes=processes, always=True) as supervisor:
        running = [start(settings) for start in starts]
        say(f"Organon is at {pages_address(settings)}  (Ctrl-C stops it)")
        say(way_in(settings))
        try:
            while True:
                supervisor.check()
                running = [
                    process if process.poll() is None else start(settings)
                    for process, start in zip(running, starts, strict=True)
                ]
                time.sleep(0.5)
        except KeyboardInterrupt:
            say("stopping; campaigns go on with the next start")
        finally:
            for process in running:
                _stop(process)


def _start_api(settings: Settings) -> subprocess.Popen[bytes]:
    return _start(settings, "api.log", ["-m", "orchestrator.cli.main", "api"])


def serve_pages(settings: Settings, say: Callable[[str], None]) -> NoReturn:
    """Become the pages' server alone, without broker and workers of its own, until SIGTERM or SIGINT."""
    check_page_tokens(settings)
    check_port_is_free(settings.ui_address, settings.ui_port, "the pages", "--port or ORGANON_UI_PORT")
    settings.make_home()
    say(f"Organon's pages are at {pages_address(settings)}  (Ctrl-C stops them)")
    say(way_in(settings))
    if settings.ui_address not in LOOPBACK:
        say("This address is open to others, and tokens travel as they are: put a proxy with TLS before it")
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *_pages(settings)], environment(settings))


def _start_pages(settings: Settings) -> subprocess.Popen[bytes]:
    return _start(settings, "pages.log", _pages(settings))


def _pages(settings: Settings) -> list[str]:
    """What Python is told to run for the pages."""
    page = Path(__file__).resolve().parent.parent / "ui" / "server.py"
    options = {
        "server.address": settings.ui_address,
        "server.port": str(settings.ui_port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.maxUploadSize": "50",  # MB, the most that a table may have
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
    }
    told = [f"--{name}={value}" for name, value in options.items()]
    return ["-m", "streamlit", "run", str(page), *told]


def _start(settings: Settings, log: str, arguments: list[str]) -> subprocess.Popen[bytes]:
    with output_of(settings, log) as output:
        return subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(settings),
            start_new_session=True,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
