"""The desk of whoever looks at the page: through it alone the pages change anything."""

from typing import TypeVar

from orchestrator.desk.base import Desk
from orchestrator.settings import load_settings
from ui.access import who
from ui.opening import open_database

_Desk = TypeVar("_Desk", bound=Desk)


def at(kind: type[_Desk]) -> _Desk:
    """A desk of this kind, in the name of whoever looks."""
    return kind(load_settings(), open_database(), who())


def may_act() -> bool:
    """Whether buttons that change something are of use to whoever looks. What is pressed is checked at the desk."""
    return who().operates
