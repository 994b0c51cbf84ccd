"""Documents, parsed and validated once. In: texts, and the operator's trusted ones. Out: documents to answer.

In production only trusted documents run. Elsewhere clients may register theirs by hash (automatic persisted queries).
Whatever clients send is kept in bounded stores, so that nobody fills the memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    GraphQLSyntaxError,
    MaxIntrospectionDepthRule,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    get_named_type,
    is_scalar_type,
    parse,
    specified_rules,
    type_from_ast,
    validate,
)

from hub.access.classes import classes_of
from hub.access.sight import Sight
from hub.api.asked.coordinates import coordinates
from hub.api.asked.limits import Cost, beyond, cost_of
from hub.api.errors import ApiError
from mappings.rulebook import Access

MOST_DOCUMENTS = 1_000
MOST_CHARACTERS = 1_000_000
"""Of all kept documents together: a parsed one takes some 120 bytes a character."""
MOST_ERRORS = 20

_EVERYWHERE = (*specified_rules, MaxIntrospectionDepthRule)


@dataclass(frozen=True, slots=True)
class Runnable:
    """One operation of a document: its kind (query, mutation or subscription) and what it costs by its variables."""

    definition: OperationDefinitionNode
    kind: str
    cost: Cost
    inputs: tuple[tuple[str, GraphQLInputType], ...]
    """Variables that may hold fields of inputs or values of enums, by name."""


@dataclass(eq=False, slots=True)
class Document:
    """A document, or the problems that keep it from running."""

    text: str
    hash: str
    """SHA-256 of the text, as hexadecimal digits."""
    ast: DocumentNode | None = None
    problems: tuple[GraphQLError, ...] = ()
    operations: Mapping[str, Runnable] = field(default_factory=dict)
    """By name; the nameless one under the empty name."""
    coordinates: frozenset[str] = frozenset()
    """What it names of the schema: `Type.field` of selections, `Input.field` and `Enum.VALUE` of its literals."""
    plans: dict[Any, Any] = field(default_factory=dict)
    """Room for what is made of the document once; it goes with the document."""

    def classes(self, sight: Sight) -> tuple[str, ...]:
        """The classes of personal data that a role reads by it."""
        if sight not in self.plans:
            self.plans[sight] = classes_of(self.coordinates - sight.masked)
        kept: tuple[str, ...] = self.plans[sight]
        return kept

    def runnable(self, name: str | None) -> Runnable:
        """The operation of this name, or the only one. Raises ApiError BAD_QUERY where that is none."""
        if name:
            if name in self.operations:
                return self.operations[name]
            raise ApiError("BAD_QUERY", f"operationName: no {name!r} in the document")
        if len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if not self.operations:
            raise ApiError("BAD_QUERY", "the document has no operation")
        raise ApiError("BAD_QUERY", f"operationName: say which of the {len(self.operations)} operations is meant")

    def kind(self, name: str | None) -> str | None:
        """The kind of the operation of this name, or of the only one; None where that is none."""
        try:
            return self.runnable(name).kind
        except ApiError:
            return None


class Documents:
    """The documents of one process: trusted ones for good, others the latest thousand."""

    def __init__(
        self,
        schema: GraphQLSchema,
        access: Access,
        trusted: Mapping[str, str] = MappingProxyType({}),
        production: bool = False,
        closed: bool = False,
    ) -> None:
        """`trusted` are texts by the ids that clients send; the SHA-256 of a text is an id as well.

        In `production` nothing of the schema is told: no introspection, no suggestions. Where it is `closed`, only
        trusted documents run.
        """
        self._schema, self._access = schema, access
        self._production, self._closed = production, closed
        self._sent, self._registered = _Latest(), _Latest()
        self._trusted: dict[str, Document] = {}
        self._trusted_texts: dict[str, Document] = {}
        for identifier, text in trusted.items():
            document = self._trusted_texts.get(text) or self._read(text)
            self._trusted_texts[text] = document
            self._trusted[identifier] = self._trusted[document.hash] = document

    def get(self, text: str) -> Document:
        """The document of a text. One that is not trusted has the problem NOT_TRUSTED where only such run."""
        document = self._sent.get(text) or self._trusted_texts.get(text)
        if document is not None:
            return document
        if self._closed:
            return _untrusted(text)
        document = self._read(text)
        self._sent.keep(text, document)
        return document

    def find(self, identifier: str) -> Document | None:
        """A trusted or registered document by its id, or by its hash with or without `sha256:`; None is unknown."""
        identifier = identifier.removeprefix("sha256:")
        return self._trusted.get(identifier) or self._registered.get(identifier)

    def register(self, digest: str, text: str) -> Document:
        """Keeps a document under its hash. Raises ApiError BAD_QUERY where the hash is of another text."""
        document = self.get(text)
        if document.hash != digest.lower():
            raise ApiError("BAD_QUERY", "extensions.persistedQuery.sha256Hash: is not the SHA-256 of the query")
        self._registered.keep(document.hash, document)
        return document

    def unusable(self) -> dict[str, str]:
        """Trusted documents that cannot run, by id: the first problem of each."""
        return {name: document.problems[0].message for name, document in self._trusted.items() if document.problems}

    def _read(self, text: str) -> Document:
        document = Document(text, sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
        try:
            document.ast = self._parsed(text)
            document.problems = tuple(self._problems(document.ast))
        except GraphQLError as error:
            document.problems = (error,)
        except RecursionError:
            document.problems = (self._too_deep(),)
        if document.ast is not None and not document.problems:
            document.operations = self._operations(document.ast)
            document.coordinates = coordinates(self._schema, document.ast)
        return document

    def _parsed(self, text: str) -> DocumentNode:
        """The syntax tree. Raises ApiError TOO_MANY_TOKENS or TOO_DEEP, or GraphQLSyntaxError."""
        limit = self._access.max_tokens
        try:
            return parse(text, max_lexical_tokens=limit, max_comments=limit)
        except GraphQLSyntaxError as error:
            if "more than" in error.message:
                raise ApiError("TOO_MANY_TOKENS", f"the document has more than {limit} tokens") from None
            if "nested too deeply" in error.message:
                raise self._too_deep() from None
            raise

    def _too_deep(self) -> ApiError:
        return ApiError("TOO_DEEP", f"the document is nested too deep; {self._access.max_depth} at most")

    def _problems(self, ast: DocumentNode) -> Iterable[GraphQLError]:
        rules = (*_EVERYWHERE, NoSchemaIntrospectionCustomRule) if self._production else _EVERYWHERE
        hidden = self._production
        found = beyond(ast, self._access)
        return found or validate(self._schema, ast, rules, max_errors=MOST_ERRORS, hide_suggestions=hidden)

    def _operations(self, ast: DocumentNode) -> dict[str, Runnable]:
        operations = [d for d in ast.definitions if isinstance(d, OperationDefinitionNode)]
        return {(o.name.value if o.name else ""): self._runnable(ast, o) for o in operations}

    def _runnable(self, ast: DocumentNode, operation: OperationDefinitionNode) -> Runnable:
        said = operation.variable_definitions or ()
        kinds: list[tuple[str, Any]] = [(d.variable.name.value, type_from_ast(self._schema, d.type)) for d in said]
        inputs = tuple((name, kind) for name, kind in kinds if not is_scalar_type(get_named_type(kind)))
        return Runnable(operation, operation.operation.value, cost_of(self._schema, ast, operation), inputs)


class _Latest:
    """The documents used last, bounded by their number and by the characters of their texts."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0

    def get(self, key: str) -> Document | None:
        document = self._kept.get(key)
        if document is not None:
            self._kept.move_to_end(key)
        return document

    def keep(self, key: str, document: Document) -> None:
        if document.problems or key in self._kept:  # what cannot run must not push out what can
            return
        self._kept[key] = document
        self._characters += len(document.text)
        while len(self._kept) > MOST_DOCUMENTS or self._characters > MOST_CHARACTERS:
            self._characters -= len(self._kept.popitem(last=False)[1].text)


def _untrusted(text: str) -> Document:
    said = "only registered documents run here; send the documentId of one"
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Document(text, digest, problems=(ApiError("NOT_TRUSTED", said),))
