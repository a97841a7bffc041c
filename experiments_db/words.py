"""Looking for words."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, true


def has_words(words: str, places: Sequence[Any]) -> ColumnElement[bool]:
    """Every word stands in one of these columns, in large letters or small; true where there is no word."""
    return and_(true(), *(or_(*(place.icontains(word, autoescape=True) for place in places)) for word in words.split()))
