"""The graph as a subgraph of Apollo Federation 2. In: the schema's types. Out: a schema that a gateway can ask.

A customer is an entity by its id, and other teams add fields to it. `_entities` reads all that it is asked for at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, NewType

import strawberry
from graphql import (
    DefinitionNode,
    DocumentNode,
    GraphQLField,
    ObjectTypeDefinitionNode,
    parse,
    print_ast,
)
from sqlalchemy import func

from hub.api.asked.selection import Selected
from hub.api.declare import LARGEST_FIRST, Computed, Relation, argument, declared
from hub.api.errors import ApiError
from hub.api.read.reader import Reader
from hub.api.read.search import checked_text
from hub.api.read.shape import Answer
from hub.api.schema import Schema, build_schema, committed_sdl
from hub.api.types.customer import Customer
from hub.api.types.query import Query
from hub.store.derived import customer_card as card
from hub.store.kept import customer_ledger

ENTITY = "Customer"
_LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])'
# Every team that pages has a PageInfo of its own.
_MARKS = {ENTITY: '@key(fields: "id")', "PageInfo": "@shareable"}

_BY_ID = Relation(
    parent=(),
    child=((customer_ledger.c.public_id,),),
    shape="one",
    through=(
        customer_ledger,
        func.coalesce(customer_ledger.c.merged_into, customer_ledger.c.customer_no) == card.c.customer_no,
    ),
)

Representation = NewType("Representation", object)
_SCALARS = {
    Representation: strawberry.scalar(
        name="_Any", description="A customer as other subgraphs know it: its type's name and its id."
    )
}
Entity = Annotated[Customer, strawberry.union("_Entity", description="What other subgraphs may add fields to.")]


@strawberry.type(name="_Service", description="What a gateway composes.")
class Service:
    sdl: str = strawberry.field(description="The schema with the directives of Apollo Federation 2.")


def _service(_reader: Reader, selected: Selected) -> Answer:
    return {child.key: _committed() for child in selected.below()}


@cache
def _committed() -> str:
    return subgraph_sdl(committed_sdl())


def _entities(reader: Reader, selected: Selected) -> list[Answer | None]:
    """The customers of representations, in their order; null where there is none."""
    said = selected.arguments["representations"]
    if len(said) > LARGEST_FIRST:
        raise ApiError("BAD_USER_INPUT", f"representations: {len(said)} of them; {LARGEST_FIRST} at most")
    return list(reader.follow(_BY_ID, _as_customers(selected), [(_id(representation),) for representation in said]))


def _id(representation: Any) -> str:
    if not isinstance(representation, Mapping) or representation.get("__typename") != ENTITY:
        raise ApiError("BAD_USER_INPUT", f"representations: only {ENTITY} is an entity; say its __typename")
    if not isinstance(representation.get("id"), str):
        raise ApiError("BAD_USER_INPUT", f"representations: {ENTITY} needs an id, a string")
    return checked_text(representation["id"], "representations")


def _as_customers(selected: Selected) -> Selected:
    """The selection as of a field that answers with customers, which is what the union holds."""
    customer: Any = selected.operation.schema.type_map[ENTITY]
    return replace(selected, field=GraphQLField(customer, selected.field.args))


def _named(name: str, field: Any) -> Any:
    field.graphql_name = name
    return field


@strawberry.type(name="Query", description="What can be read.")
class Subgraph(Query):
    service: Service = _named("_service", declared(Computed(_service), "What a gateway composes this graph from."))
    entities: list[Entity | None] = _named(
        "_entities",
        declared(
            Computed(_entities),
            "Customers by their ids, for a gateway; in the order asked for, null where there is none.",
            [argument("representations", list[Representation], f"Which ones; {LARGEST_FIRST} at most.")],
        ),
    )


def build_subgraph() -> Schema:
    """The schema with what a gateway asks for."""
    schema = build_schema(Subgraph, _SCALARS)
    entity: Any = schema._schema.type_map["_Entity"]
    entity.resolve_type = lambda _value, _info, _abstract: ENTITY
    return schema


def subgraph_sdl(plain: str) -> str:
    """A schema as text with its entity's key and what may stand in other subgraphs too; nothing else is changed."""
    document = parse(plain, no_location=True)
    definitions = tuple(_marked(definition) for definition in document.definitions)
    return print_ast(DocumentNode(definitions=(*parse(_LINK).definitions, *definitions))) + "\n"


def _marked(definition: DefinitionNode) -> DefinitionNode:
    if not isinstance(definition, ObjectTypeDefinitionNode) or definition.name.value not in _MARKS:
        return definition
    marked: Any = parse(f"type T {_MARKS[definition.name.value]}").definitions[0]
    return replace(definition, directives=marked.directives)
