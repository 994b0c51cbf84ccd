"""Mapped tables: one an entity, made from landing and the mapping; a remap deletes and writes them anew.

In: the vocabulary of mappings/model.py, which is the only list of fields. Out: MAPPED, entity name to table.
A fact's number is its record's landing_no and its item in that record, so that it lasts across a remap.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Table
from sqlalchemy.types import TypeEngine

from hub.store.kept import Number, Words, metadata
from mappings.model import ENTITIES, Entity, Type

ITEM_BITS = 16  # a record yields at most 65,535 rows of an entity
# What is read page by page, and along which instant: an index has the rows of a customer in that order.
PAGED = {"interaction": "at"}

_COLUMN_TYPES: dict[Type, TypeEngine[Any]] = {
    Type.TEXT: Words,
    Type.CHOICE: Words,
    Type.DATE: Words,
    Type.CURRENCY: Words,
    Type.JSON: Words,
    Type.INSTANT: BigInteger(),
    Type.NUMBER: BigInteger(),
    Type.RATIO: BigInteger(),
    Type.AMOUNT: BigInteger(),
    Type.FLAG: Boolean(),
    Type.PROFILE: BigInteger(),
}


def fact_no(landing_no: int, item: int) -> int:
    """The lasting number of the row `item` of an entity that the record `landing_no` yields."""
    return landing_no << ITEM_BITS | item


def column_name(field: str, type_: Type) -> str:
    """The SQL column of a canonical field: references to profiles are numbers and say so."""
    if type_ is not Type.PROFILE:
        return field
    return "profile_no" if field == "profile" else f"{field}_profile_no"


def _columns(entity: Entity) -> list[Column[Any]]:
    fields: list[Column[Any]] = [
        Column(
            column_name(name, field.type),
            _COLUMN_TYPES[field.type],
            nullable=field.type is Type.PROFILE or not field.required,
            comment=field.about,
        )
        for name, field in entity.fields.items()
    ]
    return [*fields, *([] if entity.party else _owners())]


def _owners() -> list[Column[Any]]:
    return [
        Column("customer_no", BigInteger, comment="copied from the ledger: who it belongs to"),
        Column("organization_no", BigInteger, comment="the customer_no of the organization it counts for, if any"),
    ]


def _table(entity: Entity) -> Table:
    indexes = [Index(f"{entity.name}_by_landing", "landing_no"), Index(f"{entity.name}_by_profile", "profile_no")]
    if not entity.party:
        time = [n for n, f in entity.fields.items() if f.type is Type.INSTANT and f.required][:1]
        page = [PAGED[entity.name], "fact_no"] if entity.name in PAGED else []
        indexes.append(Index(f"{entity.name}_by_customer", "customer_no", *(page or time)))
        indexes.append(Index(f"{entity.name}_by_organization", "organization_no", *page))
    return Table(
        entity.name,
        metadata,
        Column("fact_no", Number, primary_key=True, autoincrement=False),
        Column("landing_no", BigInteger, nullable=False),
        Column("source", Words, nullable=False),
        Column("stream", Words, nullable=False),
        Column("stale", Boolean, nullable=False, default=False, comment="the record's last update failed to map"),
        *_columns(entity),
        *indexes,
        comment=entity.about,
    )


MAPPED: dict[str, Table] = {entity.name: _table(entity) for entity in ENTITIES.values()}
FACTS: dict[str, Table] = {name: MAPPED[name] for name, entity in ENTITIES.items() if not entity.party}

Index("contact_point_by_value", MAPPED["contact_point"].c.type, MAPPED["contact_point"].c.value)
Index("identifier_by_value", MAPPED["identifier"].c.system, MAPPED["identifier"].c.value)
Index("membership_by_organization", MAPPED["membership"].c.organization_profile_no)

control = Table(
    "control",
    metadata,
    Column("landing_no", BigInteger, primary_key=True, autoincrement=False),
    Column("item", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("currency", Words, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Index("control_by_stream", "source", "stream", "currency"),
    comment="What the landed records themselves say the money is, by `reconcile:`; apart from the mapping.",
)
