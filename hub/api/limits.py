"""Limits of a document, checked before anything runs. In: rules/access.yml. Out: refusals with limit and value.

Depth and aliases are counted with fragments spread, each fragment only once, so that counting costs what parsing did.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    MaxIntrospectionDepthRule,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)

from hub.api.errors import ApiError
from mappings.rulebook import Access

MOST_DOCUMENTS = 1_000
MOST_ERRORS = 20


class Documents:
    """Parsed and validated documents, the latest thousand kept."""

    def __init__(self, schema: GraphQLSchema, access: Access) -> None:
        self._schema, self._access = schema, access
        self.parsed: Callable[[str], DocumentNode] = lru_cache(MOST_DOCUMENTS)(self._parsed)
        self.problems: Callable[[DocumentNode], list[GraphQLError]] = lru_cache(MOST_DOCUMENTS)(self._problems)

    def _parsed(self, text: str) -> DocumentNode:
        """The document. Raises ApiError TOO_MANY_TOKENS or TOO_DEEP, or GraphQLSyntaxError."""
        limit = self._access.max_tokens
        try:
            return parse(text, max_lexical_tokens=limit, max_comments=limit)
        except GraphQLSyntaxError as error:
            if "more than" in error.message:
                raise ApiError("TOO_MANY_TOKENS", f"the document has more than {limit} tokens") from None
            if "nested too deeply" in error.message:
                most = self._access.max_depth
                raise ApiError("TOO_DEEP", f"the document is nested too deep; {most} at most") from None
            raise

    def _problems(self, document: DocumentNode) -> list[GraphQLError]:
        """Why the document cannot run; an empty list where it can."""
        beyond = [*_beyond(document, self._access)]
        rules = (*specified_rules, MaxIntrospectionDepthRule)
        return list(beyond) or validate(self._schema, document, rules, max_errors=MOST_ERRORS)


def must_be_named(document: DocumentNode, name: str | None) -> list[GraphQLError]:
    """An error where a document has several operations and the request does not say which."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) < 2 or name is not None:
        return []
    return [ApiError("BAD_QUERY", f"operationName: say which of the {len(operations)} operations is meant")]


def _beyond(document: DocumentNode, access: Access) -> list[ApiError]:
    measured = _Measure(document)
    refused = []
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            depth, aliases = measured.of(operation.selection_set)
            if depth > access.max_depth:
                refused.append(ApiError("TOO_DEEP", f"the operation is {depth} deep; {access.max_depth} at most"))
            if aliases > access.max_aliases:
                message = f"the operation has {aliases} aliases; {access.max_aliases} at most"
                refused.append(ApiError("TOO_MANY_ALIASES", message))
    return refused


class _Measure:
    """Depth and aliases of selections. A fragment that spreads itself counts as nothing: validation refuses it."""

    def __init__(self, document: DocumentNode) -> None:
        named = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
        self._fragments = {fragment.name.value: fragment for fragment in named}
        self._measured: dict[str, tuple[int, int]] = {}

    def of(self, selection_set: SelectionSetNode | None) -> tuple[int, int]:
        """How deep a selection goes and how many aliases it has."""
        deepest, aliases = 0, 0
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FragmentSpreadNode):
                depth, inside = self._fragment(node.name.value)
            elif isinstance(node, FieldNode):
                introspects = node.name.value.startswith("__")  # has a limit of its own
                depth, inside = (0, 0) if introspects else self.of(node.selection_set)
                depth, inside = depth + (not introspects), inside + (node.alias is not None)
            else:
                depth, inside = self.of(node.selection_set)  # type: ignore[attr-defined]
            deepest, aliases = max(deepest, depth), aliases + inside
        return deepest, aliases

    def _fragment(self, name: str) -> tuple[int, int]:
        if name not in self._measured:
            self._measured[name] = (0, 0)
            fragment = self._fragments.get(name)
            self._measured[name] = self.of(fragment.selection_set) if fragment else (0, 0)
        return self._measured[name]
