"""What every operation needs. In: the store, the company's rules and sources, the write path. Out: operations read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import GraphQLError

from hub.access.principal import LOCAL, Principal
from hub.api.asked.selection import Selected
from hub.api.listen.subscribe import Outbox
from hub.api.read.deadline import within
from hub.api.read.reader import Reader, Seen
from hub.api.read.shape import Answer, Declarations
from hub.api.scope import House
from hub.store.derived import risk_flag
from hub.store.engine import Store


class Erased(Protocol):
    """What an erasure removed."""

    @property
    def certificate(self) -> str | None:
        """Of a real one; null of a dry run."""

    @property
    def rows(self) -> list[tuple[str, int]]:
        """Rows by table."""


@dataclass(frozen=True)
class Writer:
    """The write path, as a steward's decisions call it."""

    follow: Callable[[int], object]
    """Takes what is pending through resolve, derive and publish, at an instant."""
    erase: Callable[[str, bool, int], Erased]
    """Erases the customer of a public id (or only counts), at an instant."""


@dataclass
class Context:
    """The context value of every operation."""

    store: Store
    house: House
    declarations: Declarations
    writer: Writer
    outbox: Outbox
    principal: Principal = LOCAL
    """Who asks, and what is shown to them."""
    seen: Seen = field(default_factory=dict)
    """The customers that were read, by root field."""

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """A reader over one snapshot of the store, for the thread that asks."""
        seconds = self.house.rulebook.access.timeout_s
        with self.store.read() as connection, within(connection, seconds):
            yield Reader(connection, self.house, self.declarations, self.seen)

    def query(self, roots: list[Selected]) -> dict[str, Any]:
        """The answers of a query's root fields, or the error that stands for one; one snapshot for all."""
        with self.reader() as reader:
            return {root.key: _answered(reader, root) for root in roots}

    def flag(self, selected: Selected, number: int) -> Answer | None:
        """A risk flag by its number; null where it is no more."""
        with self.reader() as reader:
            found = reader.rows(selected, "RiskFlag", risk_flag.c.flag_no == number)
        return found[0] if found else None


def _answered(reader: Reader, selected: Selected) -> Any:
    try:
        return reader.root(selected)
    except GraphQLError as error:
        return error
