"""The one seam between what listens and what answers. In: a document, variables, who asks. Out: the response's bytes.

HTTP, server-sent events and WebSockets all come through here, so what is refused is refused everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from inspect import isawaitable
from typing import Any, Protocol

import msgspec
from graphql import ExecutionResult, GraphQLError, execute, get_variable_values, subscribe

from hub.access.audit import Audit
from hub.access.principal import Principal
from hub.access.refusal import AccessError
from hub.api.asked.coordinates import coordinates_in
from hub.api.asked.documents import MOST_ERRORS, Document, Runnable
from hub.api.asked.limits import must_cost
from hub.api.asked.selection import Operation, operation_fields
from hub.api.context import Context
from hub.api.errors import STATUS, ApiError, denied, masked_error, settle
from hub.api.read.deadline import timed_out
from hub.api.read.reader import Seen
from hub.api.schema import Schema
from hub.api.scope import outermost

Variables = dict[str, Any]
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as UTF-8 JSON. `status` is 200 where the operation ran, else the HTTP status of why it did not."""

    body: bytes
    status: int = 200
    errors: bool = False
    seen: Seen = field(default_factory=dict)
    """The customers that it is about, by root field; where nothing personal was read, nobody."""


class Planner(Protocol):
    """Answers what it can plan: None is left to graphql-core. It may raise GraphQLError."""

    async def __call__(
        self, document: Document, runnable: Runnable, variables: Variables, principal: Principal
    ) -> Answer | None:
        """The whole response."""


class Engine:
    """Answers operations, planned where they can be."""

    def __init__(
        self,
        schema: Schema,
        context: Context,
        planner: Planner | None = None,
        production: bool = False,
        audit: Audit | None = None,
    ) -> None:
        self._schema, self._context, self._planner = schema._schema, context, planner
        self._access = context.house.rulebook.access
        self._production, self._audit = production, audit

    async def answer(
        self, document: Document, name: str | None, variables: Variables | None, principal: Principal
    ) -> Answer:
        """The response to an operation that is no subscription; whatever goes wrong is an answer too."""
        said = variables or {}
        try:
            runnable = self._admitted(document, name, said, principal)
            if runnable.kind == "query":
                async with asyncio.timeout(self._access.timeout_s):
                    return await self._answered(document, runnable, said, principal)
            if runnable.kind == "subscription":
                raise ApiError("BAD_QUERY", "subscriptions need a WebSocket, or Accept: text/event-stream")
            answer = await self._executed(document, runnable, said, principal)
            self._note(document, runnable, principal, answer.seen)
            return answer
        except Exception as error:
            return self._failed(error)

    def check(
        self, document: Document, name: str | None, variables: Variables | None, principal: Principal
    ) -> Answer | None:
        """Why an operation would not be run, as far as that can be told before; None where it would."""
        try:
            self._admitted(document, name, variables or {}, principal)
        except Exception as error:
            return self._failed(error)
        return None

    async def stream(
        self, document: Document, name: str | None, variables: Variables | None, principal: Principal
    ) -> AsyncGenerator[Answer, None]:
        """The responses to a subscription as they come, or the one to another operation."""
        said = variables or {}
        try:
            runnable = self._admitted(document, name, said, principal)
            if runnable.kind != "subscription":
                yield await self.answer(document, name, said, principal)
                return
            seen: Seen = {}
            async for result in await self._subscribed(document, runnable, said, principal, seen):
                self._note(document, runnable, principal, seen)
                seen.clear()
                yield _encoded(result)
        except Exception as error:
            yield self._failed(error)

    def _admitted(self, document: Document, name: str | None, variables: Variables, principal: Principal) -> Runnable:
        """The operation to run. Raises Refused or ApiError where it may not."""
        if document.problems:
            raise Refused(document.problems)
        runnable = document.runnable(name)
        must_cost(runnable.cost(variables), self._access)
        if principal.sight.refused:
            _must_see(document, runnable, variables, principal)
        return runnable

    async def _answered(
        self, document: Document, runnable: Runnable, variables: Variables, principal: Principal
    ) -> Answer:
        planned = await self._planner(document, runnable, variables, principal) if self._planner else None
        answer = planned or await self._executed(document, runnable, variables, principal)
        self._note(document, runnable, principal, answer.seen)
        return answer

    def _note(self, document: Document, runnable: Runnable, principal: Principal, seen: Seen) -> None:
        """Tells the audit log who is about to be shown to whom. Raises AuditFull."""
        if self._audit is not None and seen and (classes := document.classes(principal.sight)):
            name = runnable.definition.name.value if runnable.definition.name else ""
            for root, customers in seen.items():
                self._audit.saw(principal, name, root, sorted(customers), classes)

    async def _executed(
        self, document: Document, runnable: Runnable, variables: Variables, principal: Principal
    ) -> Answer:
        """By graphql-core. A query is read whole in a thread first, and the executor only picks."""
        execution = self._execution(document, runnable, variables, principal)
        if runnable.kind == "query":
            roots = list(execution["root_value"].values())
            execution["root_value"] = await asyncio.to_thread(execution["context_value"].query, roots)
        result: Any = execute(**execution)
        return _encoded(await result if isawaitable(result) else result, execution["context_value"].seen)

    async def _subscribed(
        self, document: Document, runnable: Runnable, variables: Variables, principal: Principal, seen: Seen
    ) -> AsyncIterator[ExecutionResult]:
        result: Any = subscribe(**self._execution(document, runnable, variables, principal, seen))
        source = await result if isawaitable(result) else result
        if isinstance(source, ExecutionResult):
            raise Refused(source.errors or ())
        return source  # type: ignore[no-any-return]

    def _execution(
        self,
        document: Document,
        runnable: Runnable,
        variables: Variables,
        principal: Principal,
        seen: Seen | None = None,
    ) -> dict[str, Any]:
        """What the executor is told; the root value says what is selected. Raises Refused for unfit variables."""
        definition = runnable.definition
        declared = definition.variable_definitions or ()
        coerced = get_variable_values(self._schema, declared, variables, MOST_ERRORS, self._production)
        if isinstance(coerced, list):
            raise Refused(coerced)
        operation = Operation.of(self._schema, document.ast, coerced)  # type: ignore[arg-type]
        roots = operation_fields(operation, definition, outermost(self._context.house, principal.sight))
        return {
            "schema": self._schema,
            "document": document.ast,
            "operation_name": definition.name.value if definition.name else None,
            "variable_values": variables,
            "root_value": {root.key: root for root in roots},
            "context_value": replace(self._context, principal=principal, seen={} if seen is None else seen),
            "hide_suggestions": self._production,
        }

    def _failed(self, error: Exception) -> Answer:
        if isinstance(error, Refused):
            return refused(error.errors)
        if isinstance(error, GraphQLError):
            return refused([error])
        if isinstance(error, TimeoutError):
            return refused([timed_out(self._access.timeout_s)])
        if isinstance(error, AccessError):
            return refused([denied(error)])
        return refused([masked_error(error)])


class Refused(Exception):
    """An operation that does not run, for these reasons."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors)
        self.errors = errors


def refused(errors: Sequence[GraphQLError]) -> Answer:
    """The answer to an operation that did not run."""
    settle(errors)
    said = [error.formatted for error in errors]
    status = STATUS.get(str(said[0].get("extensions", {}).get("code")), 400)
    return Answer(_encode({"errors": said}), status, errors=True)


def _encoded(result: ExecutionResult, seen: Seen | None = None) -> Answer:
    if not result.errors:
        return Answer(_encode({"data": result.data}), seen=seen or {})
    settle(result.errors)
    errors = [error.formatted for error in result.errors]
    return Answer(_encode({"errors": errors, "data": result.data}), errors=True, seen=seen or {})


def _must_see(document: Document, runnable: Runnable, variables: Variables, principal: Principal) -> None:
    """Raises Refused where the operation names what is refused to the role, in its text or in its variables."""
    sight = principal.sight
    said = {c for name, kind in runnable.inputs for c in coordinates_in(kind, variables.get(name))}
    beyond = sorted((document.coordinates | said) & sight.refused)
    if beyond:
        raise Refused(
            [ApiError("FORBIDDEN", f"{each}: not for the role {sight.role}") for each in beyond[:MOST_ERRORS]]
        )
