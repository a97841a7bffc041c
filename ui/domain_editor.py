"""Stub."""


def show_editor() -> None:
    """Stub."""
