"""Small stored JSON, read. In: the JSON text of a column. Out: the list that it holds."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.api.declare import LIST_CAP


def texts(stored: str) -> list[Any]:
    """A stored JSON list, capped as its field says."""
    items: list[Any] = msgspec.json.decode(stored)
    return items[:LIST_CAP]
