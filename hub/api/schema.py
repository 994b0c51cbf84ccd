"""The schema, composed. In: types with their declarations. Out: a schema that reads an operation whole, then answers.

A query is read before the executor walks it: the root value holds the answers by answer key, and every resolver only
picks its own. Mutations and subscriptions find what is selected of them in the root value instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from typing import Any

import strawberry
from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    get_operation_ast,
    get_variable_values,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from hub.api.errors import settle
from hub.api.limits import Documents, must_be_named
from hub.api.scope import House, outermost
from hub.api.selection import Operation, Selected, operation_fields
from hub.api.shape import Declarations, read_declarations
from hub.api.types.mutation import Mutation
from hub.api.types.query import Query
from hub.api.types.scalars import SCALARS
from hub.api.types.subscription import Subscription
from mappings.rulebook import Access


class Schema(strawberry.Schema):
    """A strawberry schema whose errors carry codes."""

    documents: Documents
    declarations: Declarations

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Codes every error, and logs and masks what is ours."""
        settle(errors)


def build_schema(access: Access) -> Schema:
    """The schema within the limits of rules/access.yml."""
    schema = Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        extensions=[Whole],
        config=StrawberryConfig(scalar_map=SCALARS, relay_max_results=1),
    )
    named = schema.config.name_converter.get_graphql_name
    schema.declarations = read_declarations(schema.schema_converter.type_map, named)
    schema.documents = Documents(schema._schema, access)
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            kind.is_type_of = None
            if kind.name not in ("Mutation", "Subscription"):
                for field in kind.fields.values():
                    field.resolve = _pick
    return schema


def _pick(source: Any, info: Any, **_arguments: Any) -> Any:
    """The answer of a field: it stands under its answer key, or an error does."""
    answer = source[info.path.key]
    if isinstance(answer, GraphQLError):
        raise answer
    return answer


class Whole(SchemaExtension):
    """Parses and validates from the cache, and reads the operation before it is executed."""

    def on_parse(self) -> Iterator[None]:
        """Takes the parsed document from the cache."""
        context = self.execution_context
        if context.query is not None:
            context.graphql_document = _schema(context).documents.parsed(context.query)
        yield

    def on_validate(self) -> Iterator[None]:
        """Takes the document's problems from the cache."""
        context = self.execution_context
        if context.graphql_document is not None:
            unnamed = must_be_named(context.graphql_document, context._provided_operation_name)
            context.pre_execution_errors = unnamed or _schema(context).documents.problems(context.graphql_document)
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Reads a query in a thread; of others, leaves what is selected."""
        context = self.execution_context
        roots = selected_roots(_schema(context)._schema, context, context.context.house)
        if roots and context.operation_type.value == "query":
            context.root_value = await asyncio.to_thread(context.context.query, roots)
        else:
            context.root_value = {root.key: root for root in roots}
        yield


def _schema(context: Any) -> Schema:
    schema: Schema = context.schema
    return schema


def selected_roots(schema: GraphQLSchema, execution: Any, house: House) -> list[Selected]:
    """The root fields of the operation; none where its variables do not fit, which the executor reports."""
    definition = get_operation_ast(execution.graphql_document, execution.operation_name)
    if definition is None:
        return []
    variables = get_variable_values(schema, definition.variable_definitions or (), execution.variables or {})
    if isinstance(variables, list):
        return []
    operation = Operation.of(schema, execution.graphql_document, variables)
    return operation_fields(operation, definition, outermost(house))


def sdl(schema: Schema) -> str:
    """The schema in the schema definition language, as committed in schema.graphql."""
    return schema.as_str() + "\n"


def committed_sdl() -> str:
    """The schema definition language as committed and shipped."""
    return files("hub.api").joinpath("schema.graphql").read_text(encoding="utf-8")
