"""Errors that a client sees: a code in `extensions` and one line that says what to do.

ApiError
├── BAD_QUERY, BAD_USER_INPUT, BAD_CURRENCY, AMBIGUOUS, NOT_FOUND      what was asked
├── PERSISTED_QUERY_NOT_FOUND, NOT_TRUSTED                             which document was asked for
├── TOO_DEEP, TOO_MANY_ALIASES, TOO_MANY_DIRECTIVES, TOO_MANY_TOKENS   how much was asked
├── TOO_COSTLY, TOO_LARGE, TOO_MANY_REQUESTS, TOO_SLOW, TIMED_OUT      how much, how often, how slowly
├── UNAUTHENTICATED, FORBIDDEN                                         who asked
├── UNAVAILABLE                                                        what the answer needs is away for now
└── INTERNAL                                                           ours; the log has it under the id
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from traceback import extract_tb
from typing import Any
from uuid import uuid4

import structlog
from graphql import GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

from hub.access.refusal import AccessError, OutOfScope, TooMany, Unauthenticated

CODES = (
    "BAD_QUERY",
    "BAD_USER_INPUT",
    "BAD_CURRENCY",
    "AMBIGUOUS",
    "NOT_FOUND",
    "PERSISTED_QUERY_NOT_FOUND",
    "NOT_TRUSTED",
    "TOO_DEEP",
    "TOO_MANY_ALIASES",
    "TOO_MANY_DIRECTIVES",
    "TOO_MANY_TOKENS",
    "TOO_COSTLY",
    "TOO_LARGE",
    "TOO_MANY_REQUESTS",
    "TOO_SLOW",
    "TIMED_OUT",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "UNAVAILABLE",
    "INTERNAL",
)

STATUS = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "TOO_LARGE": 413,
    "TOO_MANY_REQUESTS": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "TIMED_OUT": 504,
}
"""HTTP status of a request that did not run, by the code of its first error; 400 of all others."""

_log = structlog.get_logger(__name__)


class ApiError(GraphQLError):
    """An error that the client can do something about."""

    def __init__(self, code: str, message: str, nodes: Sequence[Any] = (), **extensions: Any) -> None:
        super().__init__(message, nodes or None, extensions={"code": code, **extensions})


_DENIED = {Unauthenticated: "UNAUTHENTICATED", OutOfScope: "FORBIDDEN", TooMany: "TOO_MANY_REQUESTS"}


def denied(error: AccessError) -> ApiError:
    """The error that a client sees of a refusal of access; of a limit, when to come back in seconds."""
    said: dict[str, Any] = (
        {"limit": error.limit, "retryAfter": ceil(error.retry_after_s)} if isinstance(error, TooMany) else {}
    )
    return ApiError(_DENIED.get(type(error), "UNAVAILABLE"), str(error), (), **said)


def settle(errors: Sequence[GraphQLError]) -> None:
    """Gives every error its code, in place; one that is ours is logged and masked, with the id that the log has."""
    for error in errors:
        cause = error.original_error
        if isinstance(cause, ApiError):
            error.extensions = cause.extensions
        elif (error.extensions or {}).get("code"):
            continue
        elif isinstance(cause, StrawberryInputCoercionError) or (
            error.path is None and (cause is None or isinstance(cause, GraphQLError))
        ):
            error.extensions = {"code": "BAD_QUERY"}
        else:  # an answer that does not fit the schema is ours as well
            masked = masked_error(cause or error, error.path)
            error.message, error.extensions = masked.message, masked.extensions


def masked_error(cause: Exception, path: Sequence[str | int] | None = None) -> ApiError:
    """The error that a client sees of a mistake of ours; the log has what happened under the same id."""
    number = uuid4().hex[:12]
    _log.error("operation failed", id=number, path=path, cause=_plain(cause), where=_where(cause))
    return ApiError("INTERNAL", f"Internal error; the log has it under {number}", id=number)


def _plain(cause: Exception) -> str:
    """What happened, in a line; of a failed statement not its parameters, which may say who was asked for."""
    said = str(getattr(cause, "orig", None) or cause).splitlines() or [""]
    return f"{type(cause).__name__}: {said[0][:300]}"


def _where(cause: Exception) -> list[str]:
    """Where it happened, innermost last."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(cause.__traceback__)]
