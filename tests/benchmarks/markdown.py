"""Tables of a Markdown page."""

from collections.abc import Sequence


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell(value) for value in line)} |" for line in lines)


def cell(value: object) -> str:
    """Numbers in three digits, ranges as ``low to high``."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return " to ".join(f"{end:.4g}" for end in value)
    return "" if value is None else str(value).replace("|", "\\|")
