"""Listed values with `*` for anything."""

from __future__ import annotations

import pytest

from hub.identity.normalise.patterns import Patterns

LISTED = Patterns(["exact", "begin*", "*end", "*within*", "a*z", "1.5", "n/a"])
VALUES = {
    "exactly": ("exact", True),
    "exactly, and more": ("exactly", False),
    "a beginning": ("beginning", True),
    "a beginning alone": ("begin", True),
    "a beginning elsewhere": ("to begin", False),
    "an end": ("the end", True),
    "an end elsewhere": ("ending", False),
    "within": ("it is within it", True),
    "a star inside": ("abc z", True),
    "a star inside, more behind": ("abc zz?", False),
    "a dot is a dot": ("1x5", False),
    "signs": ("n/a", True),
    "nothing": ("", False),
}


@pytest.mark.parametrize(("value", "listed"), VALUES.values(), ids=VALUES)
def test_what_is_listed(value: str, listed: bool) -> None:
    assert LISTED.match(value) is listed


def test_nothing_is_in_an_empty_list() -> None:
    assert not Patterns([]).match("")
