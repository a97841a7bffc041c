"""Warnings of other people's libraries about themselves, kept from ours."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings inside: deprecations within the libraries, and their advice on fits that went well enough."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
