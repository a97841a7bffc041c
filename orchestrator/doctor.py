"""``organon doctor``: what works, what does not, and how to mend it."""

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from domains import catalogue
from domains.loading import load_file
from orchestrator import services
from orchestrator.broker import broker
from orchestrator.errors import EXPECTED, OrganonError
from orchestrator.pool import pool_is_present
from orchestrator.settings import Settings, load_settings

_LOW_DISK_GB = 1.0


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it works, what was found, and what to do."""

    name: str
    ok: bool
    found: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine() -> list[Check]:
    """Every check, in order; none raises."""
    try:
        settings = load_settings()
    except OrganonError as error:
        return [Check("settings", False, str(error), "correct or unset that variable")]
    checks: list[tuple[str, Callable[[Settings], Check]]] = [
        ("home", _home),
        ("database", _database),
        ("broker", _broker),
        ("workers", _workers),
        ("torch", _torch),
        ("catalogue", _catalogue),
    ]
    return [_safely(name, check, settings) for name, check in checks]


def _safely(name: str, check: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return check(settings)
    except EXPECTED as error:
        return Check(name, False, str(error))
    except (OSError, ImportError) as error:
        return Check(name, False, f"{type(error).__name__}: {error}", "mend this, or reinstall with: make setup")


def _home(settings: Settings) -> Check:
    settings.make_home()
    if not os.access(settings.folder, os.W_OK):
        return Check("home", False, f"{settings.folder} cannot be written", "choose another ORGANON_HOME")
    free = shutil.disk_usage(settings.folder).free / 1e9
    remedy = "" if free > _LOW_DISK_GB else "make room, or choose another ORGANON_HOME"
    return Check("home", free > _LOW_DISK_GB, f"{settings.folder}, {free:.1f} GB free", remedy)


def _database(settings: Settings) -> Check:
    database = services.open_database(settings)
    with database.read():
        found = f"{database.engine.url.render_as_string(hide_password=True)} answers"
    database.close()
    return Check("database", True, found)


def _broker(settings: Settings) -> Check:
    with broker(settings):
        where = "Organon's own" if settings.embedded_broker else "the one in ORGANON_BROKER_URL"
        return Check("broker", True, f"{where} answers")


def _workers(settings: Settings) -> Check:
    if pool_is_present(settings):
        return Check("workers", True, "a pool of this home is at work on this machine")
    return Check("workers", True, "none on this machine (organon campaign run starts its own)")


def _torch(settings: Settings) -> Check:
    del settings
    import torch

    device = "CUDA" if torch.cuda.is_available() else "CPU only"
    return Check("torch", True, f"{version('torch')}, {torch.get_num_threads()} threads, {device}")


def _catalogue(settings: Settings) -> Check:
    del settings
    names = [load_file(catalogue.path(name)).name for name in catalogue.names()]
    return Check("catalogue", True, f"{len(names)} domains: {', '.join(names)}")
