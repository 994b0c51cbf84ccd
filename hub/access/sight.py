"""What a role sees. In: the fields that it does not, and a condition on customers. Out: sets to look up, and SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import NULLTYPE

from hub.expression import Condition
from hub.store.derived import customer_card

SEEN = "seen"  # how the condition's SQL calls the card; no other statement has an alias of this name


@dataclass(frozen=True)
class Sight:
    """What a role sees; one instance a role. Fields are `Type.field`, `bi_view.column`, `Input.field`, `Enum.VALUE`.

    `masked` fields are answered as unknown: null, or an empty list. `refused` ones are an error. `seen` says which
    customers there are for the role; None: all of them.
    """

    role: str
    masked: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    seen: Condition | None = None

    def __hash__(self) -> int:
        return hash(self.role)

    def customers(self) -> Select[Any] | None:
        """A select of the customer_no that the role sees, for `IN (…)` on either database; None: all of them.

        It never correlates with the statement around it, and binds no parameters.
        """
        if self.seen is None:
            return None
        card = customer_card.alias(SEEN)
        return select(card.c.customer_no).where(_Where(self.seen)).correlate(None)

    def customers_sql(self, dialect: str) -> str | None:
        """The same as text for `sqlalchemy.text()`: a colon in it is escaped."""
        if self.seen is None:
            return None
        return f"SELECT {SEEN}.customer_no FROM customer_card AS {SEEN} WHERE {self.seen.sql(dialect)}"  # noqa: S608


EVERYTHING = Sight("admin")


class _Where(ColumnElement[Any]):
    """The condition in a statement that does not know its database yet."""

    inherit_cache = False
    type = NULLTYPE  # with a boolean's, SQLite would be told `(…) = 1` and use no index

    def __init__(self, condition: Condition) -> None:
        self.condition = condition


@compiles(_Where)
def _written(element: _Where, compiler: Any, **options: Any) -> str:
    dialect = "sqlite" if compiler.dialect.name == "sqlite" else "postgresql"
    return str(compiler.process(text(element.condition.sql(dialect)), **options))
