"""In: the conditions of a `when`. Out: functions from the value at a path to whether its condition holds.

Values are compared as words, so that `1` and `"1"`, `true` and `1` are the same; null and an empty text are too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from mappings.spec import Scalar, Test
from mappings.values import UnfitError, decimal_of, plain

Check = Callable[[Any], bool]
Condition = tuple[str, Check, Any]  # a path, its check, and what the mapping says there
_WORDS = frozenset((str, int, float, bool, type(None)))


def condition(said: Any, starred: bool = False) -> Check:
    """The check of a scalar (is it), a list (is it among them) or a Test; of a starred path, for any of its items."""
    check = _test(said) if isinstance(said, Test) else _among(said)
    if not starred:
        return check
    return lambda found: any(check(value) for value in found or (None,))


def conditions(when: Mapping[str, Any] | None) -> tuple[Condition, ...]:
    """The conditions of a whole `when`, made ready for `hold`."""
    return tuple((path, condition(said, "*" in path), said) for path, said in (when or {}).items())


def hold(ready: Iterable[Condition], at: Callable[[str], Any]) -> bool:
    """Whether every condition holds; `at` says what a path leads to."""
    for path, check, said in ready:
        found = at(path)
        if not check(found):
            return False
        if isinstance(said, Test):
            if said.same_as is not None and not same(found, at(said.same_as)):
                return False
            if said.other_than is not None and same(found, at(said.other_than)):
                return False
    return True


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same word, neither of them nothing."""
    word = _word(one)
    return word is not None and word == _word(other)


def _among(said: Scalar | list[Scalar]) -> Check:
    allowed: set[Any] = set()
    for value in said if isinstance(said, list) else [said]:
        allowed |= {value, _word(value)} if value not in (None, "") else {None, ""}
    words = frozenset(allowed)
    return lambda value: (
        value.__class__ in _WORDS and (value in words or (value.__class__ is not str and _word(value) in words))
    )


def _test(said: Test) -> Check:
    checks: list[Check] = []
    given = said.model_fields_set
    if "is_not" in given:
        refused = _among(said.is_not)
        checks.append(lambda value: not refused(value))
    if said.exists is not None:
        checks.append(lambda value: _exists(value) is said.exists)
    if said.at_least is not None:
        least = Decimal(str(said.at_least))
        checks.append(lambda value: (number := _number(value)) is not None and number >= least)
    if said.at_most is not None:
        most = Decimal(str(said.at_most))
        checks.append(lambda value: (number := _number(value)) is not None and number <= most)
    if said.contains is not None:
        part = said.contains
        checks.append(lambda value: _contains(value, part))
    if said.lacks is not None:
        lacked = said.lacks
        checks.append(lambda value: not _contains(value, lacked))
    return checks[0] if len(checks) == 1 else lambda value: all(check(value) for check in checks)


def _exists(value: Any) -> bool:
    return value is not None and not (value.__class__ is str and not value.strip())


def _number(value: Any) -> Decimal | None:
    try:
        return decimal_of(value, "a number")
    except UnfitError:
        return None


def _contains(value: Any, part: Scalar) -> bool:
    if isinstance(value, list):
        return any(same(item, part) for item in value)
    word, looked_for = _word(value), _word(part)
    return word is not None and looked_for is not None and looked_for in word


def _word(value: Any) -> str | None:
    return plain(value) if value.__class__ in _WORDS and value is not None else None
