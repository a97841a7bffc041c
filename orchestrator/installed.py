"""What this installation has, without importing it."""

from importlib.metadata import PackageNotFoundError, version


def torch_version() -> str:
    """The version of torch here; that of the workers, which compute, may be another, and pages do without it."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return "none here"
