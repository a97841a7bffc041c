"""What can go wrong with the record; every message names the thing, the rule, what was found and the way out."""

from sqlalchemy.exc import DontWrapMixin


class RecordError(DontWrapMixin, Exception):
    """Base of all errors of the record."""  # DontWrapMixin: SQLAlchemy passes it on as it is, inside a statement too.


class NewerDatabaseError(RecordError):
    """The database was written by a newer version of Organon."""


class UnreachableDatabaseError(RecordError):
    """The database cannot be opened: wrong address, no server, no permission, not a database."""


class NotFoundError(RecordError):
    """Nothing is recorded under this name."""


class ReadOnlyError(RecordError):
    """The console refused a statement or could not answer it."""


class ConflictError(RecordError):
    """Somebody else has recorded this already, or holds it now."""
