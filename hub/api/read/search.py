"""Texts that are looked for. In: what somebody typed. Out: SQL conditions that an index serves, and no pattern."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from hub.api.asked.given import Given
from hub.api.errors import ApiError
from hub.api.read.pages import comparable
from hub.insight.search import email_tokens, phone_digits, spellings
from hub.store.derived import customer_token

_LAST_SIGN = "\U0010ffff"


def checked_text(value: str, name: str) -> str:
    """A text that a database can compare. Raises ApiError BAD_USER_INPUT."""
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ApiError("BAD_USER_INPUT", f"{name}: holds a character that no stored text has")
    return value


def begins(column: ColumnElement[Any], begin: Given) -> ColumnElement[bool]:
    """Whether a text begins so: a range, not LIKE, so that no sign has a meaning."""
    read = comparable(column)
    last = begin.bind(column.type, lambda text: text + _LAST_SIGN)
    return and_(read >= begin.bind(column.type), read < last)


def has_words(customer_no: ColumnElement[Any], asked: Given, name: str) -> list[ColumnElement[bool]]:
    """Whether every word of a text begins a word of the customer's names, e-mails or phones."""
    words = asked.then(lambda text: _prefixes(text, name)).items()
    return [or_(*(customer_no.in_(_with_token(spelt)) for spelt in word.items())) for word in words]


def _with_token(begin: Given) -> Any:
    return select(customer_token.c.customer_no).where(begins(customer_token.c.token, begin))


def _prefixes(asked: str, name: str) -> list[list[str]]:
    """What tokens of a customer must begin with, each in one of its spellings: addresses, a phone's digits, words."""
    parts = checked_text(asked, name).split()
    found = [frozenset(t for t in email_tokens(part) if "@" in t) for part in parts if "@" in part]
    rest = " ".join(part for part in parts if "@" not in part)
    digits = phone_digits(rest)
    numeric = digits and not any(letter.isalpha() for letter in rest)
    spelt = (*found, *([frozenset({digits})] if numeric else spellings(rest)))
    prefixes = [sorted(ways) for ways in spelt if ways]
    if not prefixes:
        raise ApiError("BAD_USER_INPUT", f"{name}: holds no letter or digit to search by")
    return prefixes
