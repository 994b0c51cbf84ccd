"""Connections by the Relay cursor specification, and Node. Cursors are keyset cursors: see pages.py."""

from typing import Any, Generic, TypeVar

import strawberry

from hub.api.read.reader import TYPE_MARK

T = TypeVar("T")


def _type_of(value: Any, _info: Any, _abstract: Any) -> str:
    return str(value[TYPE_MARK])


@strawberry.interface(description="Anything with an id that `node(id:)` takes.")
class Node:
    resolve_type = staticmethod(_type_of)

    id: strawberry.ID = strawberry.field(description="Opaque and lasting.")


@strawberry.type(description="Where a page ends.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more behind it.")
    has_previous_page: bool = strawberry.field(description="Whether it began behind a cursor.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge: `after` of the next page.")


@strawberry.type(description="A node of a connection and its cursor.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Opaque; valid with the same order.")
    node: T = strawberry.field(description="The node itself.")


@strawberry.type(description="A page of nodes.")
class Connection(Generic[T]):
    total_count: int = strawberry.field(description="How many there are on all pages; counted only where asked for.")
    edges: list[Edge[T]] = strawberry.field(description="The nodes of this page, in order.")
    page_info: PageInfo = strawberry.field(description="Where this page ends.")
