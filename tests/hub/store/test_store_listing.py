"""Lists in one column are what an answer shows, to the last byte."""

from __future__ import annotations

import json

import msgspec
import pytest

from hub.store.listing import MOST_ITEMS, json_list


@pytest.mark.parametrize(
    ("items", "stored"),
    [
        pytest.param([], "[]", id="nothing"),
        pytest.param(("a", "b"), '["a","b"]', id="no-spaces"),
        pytest.param(['say "ü"', "東\n\\"], '["say \\"ü\\"","東\\n\\\\"]', id="signs-as-they-are"),
        pytest.param([{"rule": "x", "points": 2**62}], '[{"rule":"x","points":4611686018427387904}]', id="objects"),
        pytest.param(["n"] * 150, json.dumps(["n"] * MOST_ITEMS, separators=(",", ":")), id="100-at-most"),
    ],
)
def test_a_list_is_stored_as_it_is_shown(items: list[object], stored: str) -> None:
    assert json_list(items) == stored
    assert msgspec.json.encode(msgspec.json.decode(stored)).decode() == stored
