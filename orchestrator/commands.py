"""The programs that may answer for a laboratory: an explicit list in the settings. Torch-free."""

import json
import shlex
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import OrganonError, RequestError
from orchestrator.settings import Settings

KIND = "command"


class Command(BaseModel):
    """A program on the list. No shell sees it.

    run: the program's absolute path and its arguments; seconds: how long one experiment may take; repeatable: whether
    an experiment during which the worker was lost may be run again (a simulator) or not (a sample is gone).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: tuple[str, ...] = Field(min_length=1)
    seconds: float = Field(default=60.0, gt=0, le=3600)
    repeatable: bool = False


def commands(settings: Settings) -> dict[str, Command]:
    """The list by name; OrganonError where the setting cannot be used."""
    return dict(_read(settings.commands))


def find_command(settings: Settings, name: str) -> Command:
    """The program of this name; RequestError where it is not on the list, or is no program."""
    known = commands(settings)
    if name not in known:
        listed = ", ".join(known) or "none"
        raise RequestError(
            f"the laboratory command:{name} is not allowed here; ORGANON_COMMANDS lists: {listed}. "
            "Whoever runs the workers allows it: ORGANON_COMMANDS='{\"" + name + '": {"run": ["/path/to/program"]}}\''
        )
    return known[name]


def program(settings: Settings, laboratory: str) -> Command | None:
    """The program of a laboratory ``command:NAME``, None for another; RequestError where it is not on the list."""
    kind, _, name = laboratory.partition(":")
    return find_command(settings, name) if kind == KIND else None


@lru_cache(maxsize=4)
def _read(text: str) -> tuple[tuple[str, Command], ...]:
    if not text.strip():
        return ()
    try:
        listed = json.loads(text)
    except ValueError as error:
        raise OrganonError(f"ORGANON_COMMANDS is not JSON ({error}); write {_EXAMPLE}") from None
    if not isinstance(listed, dict):
        raise OrganonError(f"ORGANON_COMMANDS is not an object of programs by name; write {_EXAMPLE}")
    return tuple((name, _command(name, entry)) for name, entry in listed.items())


_EXAMPLE = '{"titrator": {"run": ["/opt/titrator", "--json"], "seconds": 60}}'


def _command(name: str, entry: object) -> Command:
    try:
        command = Command.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (name, *first["loc"])))
        raise OrganonError(f"ORGANON_COMMANDS, {place}: {first['msg'].lower()}; write {_EXAMPLE}") from None
    if not Path(command.run[0]).is_absolute():
        raise OrganonError(
            f"ORGANON_COMMANDS, {name}: the program {shlex.quote(command.run[0])} needs its whole path, such as "
            f"/usr/bin/{Path(command.run[0]).name}: nothing is searched for"
        )
    return command
