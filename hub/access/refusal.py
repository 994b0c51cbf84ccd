"""Why a request is not let in or not served, as one tree. Every message is one line without a secret.

AccessError
├── Unauthenticated  nobody we know: no key or token, or one that does not hold (401)
├── OutOfScope       known, but the key was not made for this (403)
├── TooMany          beyond the rate, or too many operations at once (429)
├── AuditFull        what is read could not be logged, so it is not read (503)
└── Unreachable      the issuer of tokens does not answer (503)
"""

from __future__ import annotations


class AccessError(Exception):
    """The request is refused; the message says why and what helps."""


class Unauthenticated(AccessError):
    """Nobody we know."""


class OutOfScope(AccessError):
    """Known, but not for this."""


class TooMany(AccessError):
    """Beyond a limit. `limit` says which, `retry_after_s` when to come back, in seconds."""

    def __init__(self, message: str, retry_after_s: float, limit: str) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.limit = limit


class AuditFull(AccessError):
    """The audit log cannot take more at the moment."""


class Unreachable(AccessError):
    """The issuer of tokens cannot be asked."""
