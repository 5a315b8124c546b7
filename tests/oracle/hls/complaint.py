"""Rules, and what they complain of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Complaint:
    """A rule that something breaks."""

    rule: str
    clause: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rule(Generic[Subject]):
    """One thing that has to hold."""

    name: str
    clause: str
    find: Callable[[Subject], Iterator[str]]

    def complaints(self, subject: Subject) -> list[Complaint]:
        """Return what the subject breaks of it."""
        return [Complaint(self.name, self.clause, detail) for detail in self.find(subject)]


class Rules(Generic[Subject]):
    """Rules on one kind of thing."""

    def __init__(self) -> None:
        self.rules: list[Rule[Subject]] = []

    def __call__(
        self, name: str, clause: str
    ) -> Callable[[Callable[[Subject], Iterator[str]]], Callable[[Subject], Iterator[str]]]:
        """Add the function below as a rule."""

        def add(find: Callable[[Subject], Iterator[str]]) -> Callable[[Subject], Iterator[str]]:
            self.rules.append(Rule(name, clause, find))
            return find

        return add

    def check(self, subject: Subject) -> list[Complaint]:
        """Return everything that the subject breaks."""
        return [complaint for rule in self.rules for complaint in rule.complaints(subject)]
