"""``organon doctor``: what works, what does not, and how to mend it."""

import os
import shutil
from collections.abc import Callable, Collection
from functools import partial
from importlib.metadata import version
from pathlib import Path

from domains import catalogue
from domains.loading import load_file
from orchestrator import doctor_servers as servers
from orchestrator.commands import commands
from orchestrator.diagnosis import Check
from orchestrator.errors import EXPECTED, OrganonError, RequestError
from orchestrator.settings import Settings, load_settings
from orchestrator.tokens import check_own_token

_LOW_DISK_GB = 1.0


def examine(only: Collection[str] = (), *, workers_needed: bool = False) -> list[Check]:
    """Every check in order, or some by name; none raises but for a name that is none (RequestError).

    workers_needed: whether it is a fault that no pool is at work on this machine.
    """
    checks: dict[str, Callable[[Settings], Check]] = {
        "settings": _settings,
        "home": _home,
        "database": servers.database,
        "tables": servers.tables,
        "clock": servers.clock,
        "broker": servers.queue,
        "workers": partial(servers.workers, needed=workers_needed),
        "leases": servers.leases,
        "commands": _commands,
        "api": servers.interface,
        "torch": _torch,
        "catalogue": _catalogue,
    }
    if unknown := [name for name in only if name not in checks]:
        raise RequestError(f"--only {unknown[0]!r} is no check; they are {', '.join(checks)}")
    try:
        settings = load_settings()
    except OrganonError as error:
        return [Check("settings", False, str(error), "correct or unset that variable")]
    return [_safely(name, check, settings) for name, check in checks.items() if not only or name in only]


def _safely(name: str, check: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return check(settings)
    except EXPECTED as error:
        return Check(name, False, str(error))
    except (OSError, ImportError) as error:
        return Check(name, False, f"{type(error).__name__}: {error}", "mend this, or reinstall with: make setup")


def _settings(settings: Settings) -> Check:
    """They could be read and no secret is a placeholder, or we were not here; the token must keep people out, too."""
    check_own_token(settings)
    changed = sorted(f"ORGANON_{name.upper()}" for name in settings.model_fields_set)
    return Check("settings", True, f"in order; set: {', '.join(changed) or 'none'}")


def _home(settings: Settings) -> Check:
    settings.make_home()
    if not os.access(settings.folder, os.W_OK):
        return Check("home", False, f"{settings.folder} cannot be written", "choose another ORGANON_HOME")
    free = shutil.disk_usage(settings.folder).free / 1e9
    remedy = "" if free > _LOW_DISK_GB else "make room, or choose another ORGANON_HOME"
    return Check("home", free > _LOW_DISK_GB, f"{settings.folder}, {free:.1f} GB free", remedy)


def _commands(settings: Settings) -> Check:
    """Whether the programs of ORGANON_COMMANDS are there and may be run."""
    listed = commands(settings)
    broken = [name for name, entry in listed.items() if not _runs(Path(entry.run[0]))]
    if broken:
        first = listed[broken[0]].run[0]
        remedy = "install it, make it executable, or correct ORGANON_COMMANDS"
        return Check("commands", False, f"{broken[0]}: {first} is no program that we may run", remedy)
    return Check("commands", True, f"{len(listed)} programs: {', '.join(listed)}" if listed else "none are allowed")


def _runs(program: Path) -> bool:
    return program.is_file() and os.access(program, os.X_OK)


def _torch(settings: Settings) -> Check:
    del settings
    try:
        import torch
    except ImportError:
        return Check("torch", True, "not installed: pages and HTTP interface do without it, workers do not")
    device = "CUDA" if torch.cuda.is_available() else "CPU only"
    return Check("torch", True, f"{version('torch')}, {torch.get_num_threads()} threads, {device}")


def _catalogue(settings: Settings) -> Check:
    del settings
    names = [load_file(catalogue.path(name)).name for name in catalogue.names()]
    return Check("catalogue", True, f"{len(names)} domains: {', '.join(names)}")
