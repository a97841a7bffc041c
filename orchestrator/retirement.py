"""Agents that are retired: kept, and used by the campaigns that were begun with them, but offered for none that is new.

One file of the home says which, by whom and why: a shipped agent's folder may not be written to. Torch-free.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from orchestrator.errors import OrganonError, RequestError
from orchestrator.people import Why
from orchestrator.settings import Settings


class Retired(BaseModel):
    """Who retired an agent, why and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: str
    reason: str
    at: datetime


_READER = TypeAdapter(dict[str, Retired])


def retired_agents(settings: Settings) -> dict[str, Retired]:
    """All that are retired, by name; OrganonError where the file cannot be read."""
    path = _file(settings)
    try:
        return _READER.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise OrganonError(
            f"{path} does not say which agents are retired ({reason}); mend it, or take it away"
        ) from None


def refuse_retired(settings: Settings, name: str) -> None:
    """RequestError where an agent is retired."""
    if name in retired_agents(settings):
        raise RequestError(f"the agent {name!r} is retired; organon agent restore {name} puts it back")


def keep_retired(settings: Settings, name: str, why: Why) -> None:
    """Write down that an agent is retired; RequestError where it is already."""
    with _changing(settings) as retired:
        refuse_retired(settings, name)
        retired[name] = Retired(by=why.by, reason=why.reason, at=datetime.now(UTC))


def keep_restored(settings: Settings, name: str) -> None:
    """Write down that an agent is retired no more; RequestError where it is not."""
    with _changing(settings) as retired:
        if name not in retired:
            listed = f"those that are: {', '.join(retired)}" if retired else "none is"
            raise RequestError(f"the agent {name!r} is not retired; {listed}")
        del retired[name]


def _file(settings: Settings) -> Path:
    return settings.folder / "retired-agents.json"


@contextmanager
def _changing(settings: Settings) -> Iterator[dict[str, Retired]]:
    """What is retired, to be changed by one at a time; written whole unless something is thrown."""
    path = settings.make_home() / _file(settings).name
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        retired = retired_agents(settings)
        yield retired
        plain = {name: each.model_dump(mode="json") for name, each in sorted(retired.items())}
        draft = path.with_suffix(".partial")
        draft.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)
