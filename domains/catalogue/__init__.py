"""The catalogue: domains that come with Organon, one YAML document each, their tables in ``data/``."""

from pathlib import Path

_FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """The names of the catalogue's domains, sorted; no document is read."""
    return tuple(sorted(document.stem for document in _FOLDER.glob("*.yaml")))


def path(name: str) -> Path:
    """Where the catalogue's document of this name lies; KeyError where the catalogue has none."""
    if name not in names():
        raise KeyError(name)
    return _FOLDER / f"{name}.yaml"
