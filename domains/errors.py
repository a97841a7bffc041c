"""Errors of the domain layer: each names the thing, the rule, what was found and the way out."""

from dataclasses import dataclass


class DomainError(Exception):
    """Something about a domain that its author can mend."""


class ExpressionError(DomainError):
    """An expression outside the language of domain documents."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a document.

    path: the key's path, such as ``parameters.km.prior``; line: 1-based, or None where the text has no such place.
    """

    path: str
    line: int | None
    message: str

    def render(self, file: str) -> str:
        place = f"{file}:{self.line}" if self.line else file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class DocumentError(DomainError):
    """A domain document with problems; all of them, in the order of their lines."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(problem.render(file) for problem in self.problems))
