"""Who asks. In: what the gate found out. Out: a name for the audit log, what is seen, and how much may be asked."""

from __future__ import annotations

from dataclasses import dataclass

from hub.access.sight import EVERYTHING, Sight

SCOPES = ("graphql", "bi")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    requests: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.requests} requests in {self.seconds} s"


@dataclass(frozen=True)
class Principal:
    """Who asks: `key:PREFIX`, `key:HUB_API_KEY`, `jwt:SUBJECT`, or `local` where nobody has to say."""

    name: str
    sight: Sight
    scopes: frozenset[str] = frozenset(SCOPES)
    rate: Rate | None = None
    concurrent: int | None = None


LOCAL = Principal("local", EVERYTHING)
