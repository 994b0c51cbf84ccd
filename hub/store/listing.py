"""Lists that stand in one column. In: a list. Out: the JSON that an answer shows of it as it stands, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

MOST_ITEMS = 100  # what the graph shows of such a list


def json_list(items: Sequence[Any]) -> str:
    """The first 100 items as JSON without spaces, signs beyond ASCII as they are."""
    return msgspec.json.encode(items[:MOST_ITEMS]).decode()
