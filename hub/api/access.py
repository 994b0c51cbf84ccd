"""Who may ask. In: the headers of a request (or what a WebSocket says first). Out: yes or no, in constant time."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from hub.settings import SettingError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def authorized(headers: Mapping[str, Any], key: str | None) -> bool:
    """Whether the headers (names in any case) hold the key, as `Authorization: Bearer` or `X-API-Key`."""
    if key is None:
        return True
    said = {name.lower(): value for name, value in headers.items() if isinstance(value, str)}
    scheme, _, bearer = said.get("authorization", "").partition(" ")
    offered = bearer.strip() if scheme.lower() == "bearer" else said.get("x-api-key", "")
    return compare_digest(offered.encode("utf-8", "replace"), key.encode())


def must_not_be_open(host: str, key: str | None) -> None:
    """Raises SettingError where others could reach the server and no key keeps them out."""
    if key is None and not _is_loopback(host):
        raise SettingError(f"{host} can be reached by others; set HUB_API_KEY, or listen on 127.0.0.1")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
