"""The one text that a value of the record has: canonical JSON, and its SHA-256.

Sorted keys, no spaces, UTF-8; floats by the shortest text that reads back to them; NaN and infinity refused. A value
that went through either database comes back to the same text.
"""

import hashlib
import json
from typing import Any

from experiments_db.errors import RecordError


def canonical(value: Any) -> str:
    """The text of plain data; RecordError where it holds a number that is not finite, or something that is no JSON."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except (ValueError, TypeError) as error:
        raise RecordError(
            f"A value cannot be recorded ({error}): record plain data, and record None where there is no finite number."
        ) from None


def digest(value: Any) -> str:
    """SHA-256 of the canonical text, 64 lower-case hexadecimal characters."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
