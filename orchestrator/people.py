"""Who asks for something, and why: kept in the log beside what was done."""

import getpass
import os
from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True)
class Why:
    """by: a name; reason: in a person's words, which may be empty."""

    by: str
    reason: str = ""


def this_person() -> str:
    """The name that this process's user has on this machine; the number where there is no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in the machine's list, as in many containers
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


class Words(TypedDict):
    """Both as the writes of the record take them."""

    by: str
    reason: str


def words(why: Why | None) -> Words:
    """As the writes of the record take it; where nothing is said, this process's user and no reason."""
    return Words(by=this_person(), reason="") if why is None else Words(by=why.by, reason=why.reason)
