"""``organon start``: broker, workers and pages together."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.errors import OrganonError
from orchestrator.settings import Settings
from orchestrator.worker import environment, stop_on_sigterm, workers

_STOP_SECONDS = 10.0


def serve(settings: Settings, processes: int, say: Callable[[str], None]) -> None:
    """Run everything until SIGTERM or SIGINT; the pages are restarted if they end."""
    _check_port_is_free(settings)
    stop_on_sigterm()
    with workers(settings, processes=processes, always=True) as supervisor:
        pages = _start_pages(settings)
        say(f"Organon is at http://{settings.ui_address}:{settings.ui_port}  (Ctrl-C stops it)")
        try:
            while True:
                supervisor.check()
                if pages.poll() is not None:
                    pages = _start_pages(settings)
                time.sleep(0.5)
        except KeyboardInterrupt:
            say("stopping; campaigns go on with the next start")
        finally:
            _stop(pages)


def _check_port_is_free(settings: Settings) -> None:
    try:
        with socket.create_server((settings.ui_address, settings.ui_port)):
            pass
    except OSError as error:
        raise OrganonError(
            f"the pages cannot use {settings.ui_address}:{settings.ui_port} ({error.strerror}); "
            "choose another port with --port or ORGANON_UI_PORT"
        ) from None


def _start_pages(settings: Settings) -> subprocess.Popen[bytes]:
    log = settings.folder / "logs" / "pages.log"
    page = Path(__file__).resolve().parent.parent / "ui" / "app.py"
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
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(page), *(f"--{k}={v}" for k, v in options.items())],
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
