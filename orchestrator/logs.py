"""What processes log: text for people or JSON lines for machines, with campaign, block and step, without secrets."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO, Any

from orchestrator.settings import Settings

_about: ContextVar[dict[str, Any]] = ContextVar("about", default={})  # noqa: B039  (replaced, never changed)
_TOKEN = re.compile(r"organon_([0-9a-zA-Z]+)_[\w-]{8,}")
_URL_PASSWORD = re.compile(r"(\w://[^\s:@/]*):[^\s@/]+@")
_HIDDEN = "***"
_SHORTEST = 4  # characters: hiding a shorter secret would blank out half of every line


@contextmanager
def about(**ids: Any) -> Iterator[None]:
    """What is logged meanwhile is about these: campaign, block, step."""
    before = _about.set({**_about.get(), **ids})
    try:
        yield
    finally:
        _about.reset(before)


def note(**ids: Any) -> None:
    """From here to the end of the ``about`` around it, what is logged is about these, too."""
    _about.set({**_about.get(), **ids})


class Redacted(logging.Formatter):
    """A formatter that lets no secret through: none of the settings', no token, no password of a URL."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        long = {secret for secret in settings.secrets.values() if len(secret) >= _SHORTEST}
        self.secrets = sorted(long, key=len, reverse=True)

    def hide(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, _HIDDEN)
        return _URL_PASSWORD.sub(rf"\1:{_HIDDEN}@", _TOKEN.sub(rf"organon_\1_{_HIDDEN}", text))


class JsonLines(Redacted):
    """One JSON object a line: time (UTC), level, logger, process, message, the ids at hand, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": self.hide(record.getMessage()),
            **_about.get(),
        }
        if record.exc_info:
            line["traceback"] = self.hide(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class Text(Redacted):
    """A line for people: time, level, message, and the ids at hand; a traceback follows."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone().isoformat(sep=" ", timespec="seconds")
        ids = " ".join(f"{name}={value}" for name, value in _about.get().items())
        line = f"{time} {record.levelname} {record.getMessage()}{f' [{ids}]' if ids else ''}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return self.hide(line)


def start_logging(settings: Settings, stream: IO[str] | None = None) -> None:
    """Log to the error stream as the settings say: Organon's own from ``log_level`` on, of others warnings."""
    # The stream of now: celery puts a logger in the place of sys.stderr, which would log into itself.
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(settings) if settings.log_format == "json" else Text(settings))
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, Redacted):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("organon").setLevel(settings.log_level.upper())


@contextmanager
def output_of(settings: Settings, file: str) -> Iterator[IO[bytes] | int]:
    """Where a process that we start prints: ``logs/FILE`` in the home, or our own error stream (``log_target``)."""
    if settings.log_target == "stderr":
        yield sys.stderr.fileno()
        return
    path = settings.folder / "logs" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as output:
        yield output
