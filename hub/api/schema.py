"""The schema, composed. In: types with their declarations. Out: a schema whose resolvers only pick.

An operation is read whole before the executor walks it (engine.py): the root value holds the answers by answer key.
Mutations and subscriptions find what is selected of them in the root value instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLObjectType
from strawberry.schema.config import StrawberryConfig

from hub.api.read.shape import Declarations, read_declarations
from hub.api.types.mutation import Mutation
from hub.api.types.query import Query
from hub.api.types.scalars import SCALARS
from hub.api.types.subscription import Subscription


class Schema(strawberry.Schema):
    """A strawberry schema, and what its fields read."""

    declarations: Declarations


def build_schema(query: type = Query, scalars: Mapping[Any, Any] = MappingProxyType({})) -> Schema:
    """The schema; a subgraph has a query type with more fields, and scalars for them."""
    schema = Schema(
        query=query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map={**SCALARS, **scalars}, relay_max_results=1),
    )
    named = schema.config.name_converter.get_graphql_name
    schema.declarations = read_declarations(schema.schema_converter.type_map, named)
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            kind.is_type_of = None
            if kind.name not in ("Mutation", "Subscription"):
                for field in kind.fields.values():
                    field.resolve = _pick
    return schema


def _pick(source: Any, info: Any, /, **_arguments: Any) -> Any:
    """The answer of a field: it stands under its answer key, or an error does."""
    answer = source[info.path.key]
    if isinstance(answer, GraphQLError):
        raise answer
    return answer


def sdl(schema: Schema) -> str:
    """The schema in the schema definition language, as committed in schema.graphql."""
    return schema.as_str() + "\n"


def committed_sdl() -> str:
    """The schema definition language as committed and shipped."""
    return files("hub.api").joinpath("schema.graphql").read_text(encoding="utf-8")
