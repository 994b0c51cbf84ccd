"""Answers queries by one statement each. In: a document, variables, who asks. Out: the response's bytes, or None.

None means that graphql-core is to answer: what no statement answers (introspection, figures beside lists), and
whatever goes wrong, so that an error reads the same whoever found it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import GraphQLError, OperationDefinitionNode, get_named_type, get_variable_values, is_abstract_type

from hub.access.principal import Principal
from hub.access.sight import Sight
from hub.api.asked.documents import Document, Runnable
from hub.api.asked.given import Trace, Variables
from hub.api.asked.selection import TYPE_NAME, Operation, Selected, Unplannable, operation_fields
from hub.api.declare import Computed
from hub.api.engine import Answer
from hub.api.plan.compile import Statement, compile_query
from hub.api.plan.run import Runner
from hub.api.plan.tree import Plans
from hub.api.plan.write import HOLE, MISSING, Hole
from hub.api.read.reader import Seen
from hub.api.render import converted_on
from hub.api.scope import House, outermost

_MISSING = MISSING.encode()
Compute = Callable[[list[Selected]], dict[str, Any]]


@dataclass(frozen=True)
class Figures:
    """The plan of an operation whose root fields are all computed: the reader answers, nobody walks the answer."""


Plan = Statement | Figures


class Planner:
    """Plans queries and runs the plans; the plans stay with the document that they are of."""

    def __init__(self, schema: Any, house: House, runner: Runner, compute: Compute) -> None:
        self._schema, self._declarations = schema._schema, schema.declarations
        self._house, self._runner, self._compute = house, runner, compute

    async def __call__(
        self, document: Document, runnable: Runnable, variables: dict[str, Any], principal: Principal
    ) -> Answer | None:
        """The response to a query; None where graphql-core is to answer. Raises ApiError TIMED_OUT."""
        definition = runnable.definition
        coerced = get_variable_values(self._schema, definition.variable_definitions or (), dict(variables))
        if isinstance(coerced, list):
            return None
        given = Variables(coerced)
        try:
            plan = self._planned(document, definition, given, principal.sight)
            if isinstance(plan, Figures):
                body = await self._computed(document, definition, given, principal.sight)
                return None if body is None else Answer(body)
            parameters = [read(given) for read in plan.parameters]
        except (GraphQLError, Unplannable):
            return None
        try:
            said, *owners = await self._runner.run(plan.text, parameters)
        except Unplannable:
            return None
        body = _finished(plan, said if isinstance(said, bytes) else said.encode())
        return None if body is None else Answer(body, seen=_seen(plan, owners))

    def _planned(self, document: Document, definition: OperationDefinitionNode, given: Variables, sight: Sight) -> Plan:
        plans: Plans[Plan] = document.plans.setdefault((id(definition), sight), Plans())
        if (plan := plans.find(given)) is None:
            trace = Trace(given)
            plan = self._made(document, definition, trace, sight)
            plans.keep(trace, plan)
        return plan

    def _made(self, document: Document, definition: OperationDefinitionNode, trace: Trace, sight: Sight) -> Plan:
        roots = self._roots(document, definition, trace.variables, sight, trace)
        if all(isinstance(self._declarations.of("Query", root.name), Computed) for root in roots):
            if any(map(_names_its_type, roots)):
                raise Unplannable(TYPE_NAME)
            return Figures()
        audited = bool(document.classes(sight))
        return compile_query(self._declarations, self._schema, roots, self._house.dialect, trace, audited)

    def _roots(
        self,
        document: Document,
        definition: OperationDefinitionNode,
        given: Variables,
        sight: Sight,
        trace: Trace | None = None,
    ) -> list[Selected]:
        if document.ast is None:
            raise Unplannable("no document")
        operation = Operation.of(self._schema, document.ast, given.coerced, trace)
        return operation_fields(operation, definition, outermost(self._house, sight))

    async def _computed(
        self, document: Document, definition: OperationDefinitionNode, given: Variables, sight: Sight
    ) -> bytes | None:
        answers = await asyncio.to_thread(self._compute, self._roots(document, definition, given, sight))
        if any(isinstance(answer, GraphQLError) for answer in answers.values()):
            return None
        return msgspec.json.encode({"data": answers})

    async def close(self) -> None:
        """Gives the connections back."""
        await self._runner.close()


def _names_its_type(selected: Selected) -> bool:
    """Whether the answer says a type: of a field's own accord, or as one of several that it may have."""
    said = selected.name == TYPE_NAME or is_abstract_type(get_named_type(selected.field.type))
    return said or any(map(_names_its_type, selected.below()))


def _seen(statement: Statement, owners: Sequence[str | None]) -> Seen:
    """The customers that the answer is about, by root field."""
    seen: Seen = {}
    for root, listed in zip(statement.roots, owners, strict=True):
        if listed:
            seen.setdefault(root, set()).update(map(int, filter(None, listed.split(","))))
    return seen


def _finished(statement: Statement, body: bytes) -> bytes | None:
    """The answer with its holes filled; None where it holds a null that the schema does not allow."""
    if statement.may_miss and _MISSING in body:
        return None
    if not statement.holes:
        return body
    pattern = rf'"{re.escape(HOLE)}{statement.token}\|(\d+)\|(-?\d+)\|([A-Z]+)\|(-?\d+)"'.encode()
    return re.sub(pattern, lambda match: _filled(statement.holes[int(match[1])], *match.groups()[1:]), body)


def _filled(hole: Hole, amount: bytes, currency: bytes, at: bytes) -> bytes:
    money = converted_on(hole.scope, int(amount), currency.decode(), int(at))
    if money is None:
        return b"null"
    said = {**money, TYPE_NAME: "Money"}
    return msgspec.json.encode({key: said[name] for key, name in hole.keys})
