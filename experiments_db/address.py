"""Where the database is: reading a database URL, and showing it without its password."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from experiments_db.errors import UnreachableDatabaseError

_WAYS = "use sqlite:////absolute/path/organon.db or postgresql://user@host:5432/name"
_DIALECTS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def parse(address: str) -> URL:
    """Return the SQLAlchemy URL of a database address, a SQLite path made absolute.

    Raises:
        UnreachableDatabaseError: not an address, or of a database that Organon does not work with.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # What cannot be parsed cannot be masked either: it is not repeated.
        raise UnreachableDatabaseError(f"The database URL cannot be read: {_WAYS}.") from None
    if url.drivername not in _DIALECTS:
        raise UnreachableDatabaseError(f"Organon has no database of the kind '{url.drivername}': {_WAYS}.")
    url = url.set(drivername=_DIALECTS[url.drivername])
    if url.drivername != "sqlite":
        return url
    if not url.database or url.database.startswith((":memory:", "file:")) or url.query:
        raise UnreachableDatabaseError(f"A SQLite record is a plain file; found {masked(url)}: {_WAYS}.")
    return url.set(database=str(Path(url.database).absolute()))


def masked(url: URL) -> str:
    """Return the URL as text in which no password can be read."""
    hidden = {name: "***" if "password" in name.lower() else value for name, value in url.query.items()}
    return url.set(query=hidden).render_as_string(hide_password=True)


def unreachable(url: URL, error: BaseException) -> UnreachableDatabaseError:
    """Return the error that says in one sentence why the database at `url` cannot be opened."""
    cause = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".?")
    if url.password:
        cause = cause.replace(str(url.password), "***")
    return UnreachableDatabaseError(
        f"The database {masked(url)} cannot be opened: {cause}. "
        "Check that it exists and may be written to, or choose another by ORGANON_DATABASE_URL or ORGANON_HOME."
    )
