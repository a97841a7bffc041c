"""Writing a file whole or not at all, and never over another."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from experiments_db.errors import RecordError


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, for its owner's eyes; it gets its name once it is complete and on the disk.

    Raises:
        RecordError: there is a file of that name, or it cannot be written.
    """
    if path.exists():
        raise RecordError(f"There is a file {path} already: choose another name, or move it away.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise RecordError(f"{path} cannot be written ({error.strerror or error}): choose another place.") from None
    finally:
        partial.unlink(missing_ok=True)
