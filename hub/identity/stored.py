"""Portraits as they are stored. In: a portrait, or keys. Out: text and bytes of the table portrait; and back."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import msgspec

from hub.identity.normalise.portrait import Portrait

_decode = msgspec.json.Decoder(Portrait).decode


def said(portrait: Portrait) -> str:
    """The portrait as portrait.said has it; equal portraits have equal text."""
    return msgspec.json.encode(portrait).decode()


def pictured(said: str) -> Portrait:
    """The portrait that portrait.said has."""
    return _decode(said)


def packed(keys: Mapping[int, bool]) -> bytes:
    """Keys as portrait.keys has them: first the id of the profile's own record, then the others in ascending order."""
    return array("q", sorted(keys, key=lambda key: (not keys[key], key))).tobytes()


def unpacked(keys: bytes) -> array[int]:
    """The keys that portrait.keys has."""
    found = array("q")
    found.frombytes(keys)
    return found
