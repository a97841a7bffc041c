"""Domains whose laws no expression can hold: a document for everything else, and a Python class for the laws.

The document says ``python: NAME`` and has designs, parameters with priors, outcomes without families, cost, budget and
goal as any other; NAME is an entry point of the group ``organon.domains`` that gives a ``PythonDomain``. Needs no
torch: a page that lists domains must not wait for it.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from domains.document import Domain
from domains.errors import DomainError

if TYPE_CHECKING:
    from domains.simulators import Simulator

GROUP = "organon.domains"


class PythonDomain(ABC):
    """What the entry point names: a class without arguments, in a module that imports no torch.

    >>> class Decay(PythonDomain):
    ...     code = ("my_package.decay_laws",)
    ...
    ...     def simulator(self, domain):
    ...         from my_package.decay_laws import DecayLaws  # imports torch, so it is imported here
    ...         return DecayLaws()

    In the package's pyproject.toml::

        [project.entry-points."organon.domains"]
        decay = "my_package.decay:Decay"

    code: the modules that hold the laws; their text, and this class's, enters the domain's identity.
    """

    code: tuple[str, ...] = ()

    def complete(self, domain: Domain) -> Domain:
        """The domain with what its document leaves to Python, such as mechanisms too many to write down."""
        return domain

    @abstractmethod
    def simulator(self, domain: Domain) -> "Simulator":
        """The laws of this domain: how outcomes are drawn, and how probable they are."""


def names() -> tuple[str, ...]:
    """The names of the Python domains installed here, sorted; none is imported."""
    return tuple(sorted(_installed()))


@lru_cache(maxsize=1)
def _installed() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def get(name: str) -> PythonDomain:
    """The Python domain of this name; DomainError where it is not installed or is not one."""
    return _loaded(name)[0]


@lru_cache(maxsize=64)
def _loaded(name: str) -> tuple[PythonDomain, str]:
    """The Python domain and the fingerprint of its code, taken when it was loaded: that is the code that runs."""
    if name not in _installed():
        here = ", ".join(names()) or "none"
        raise DomainError(
            f"there is no Python domain {name!r} here (installed: {here}); install the package whose entry point "
            f"of the group {GROUP!r} has this name"
        )
    try:
        found = _installed()[name].load()()
    except Exception as error:  # somebody else's module can raise anything
        raise DomainError(f"the Python domain {name!r} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(found, PythonDomain):
        raise DomainError(f"the Python domain {name!r} is a {type(found).__name__}, not a PythonDomain")
    return found, _fingerprint(found)


def completed(domain: Domain) -> Domain:
    """A domain read from a document that says ``python``, with what the class adds; DomainError where it fails."""
    try:
        whole = get(domain.python).complete(domain)
    except DomainError:
        raise
    except Exception as error:
        raise DomainError(f"the Python domain {domain.python!r} failed: {type(error).__name__}: {error}") from error
    if not whole.mechanisms:
        raise DomainError(f"the Python domain {domain.python!r} gives no mechanisms")
    return whole


def identity(domain: Domain) -> str:
    """The identity of a domain with Python laws: SHA-256 over that of its document and the text of the code."""
    return hashlib.sha256(f"{domain.identity}\n{_loaded(domain.python)[1]}".encode()).hexdigest()


def _fingerprint(python: PythonDomain) -> str:
    """SHA-256 over the text of the class's module and of those it names: a change of law is another domain."""
    digest = hashlib.sha256()
    for name in (type(python).__module__, *python.code):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise DomainError(f"the module {name!r} of a Python domain is not a file that can be read")
        digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()
