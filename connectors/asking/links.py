"""The Link header (RFC 8288). In: its text, several headers joined by commas. Out: the target of one relation."""

from __future__ import annotations

import re

_PARAMETER = r"\s*;\s*([^\s=;,\"<>]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\",;]*)))?"
_NAMED = re.compile(_PARAMETER)
_LINK = re.compile(rf"<([^>]*)>((?:{_PARAMETER})*)")


def target(header: str, relation: str) -> str | None:
    """The first target of this relation (letters in either case); None where there is none.

    A link may have several relations in one quoted list; one that says `anchor` speaks of another page than this.
    """
    for link in _LINK.finditer(header):
        said: dict[str, str] = {}
        for name, quoted, bare in _NAMED.findall(link[2]):
            said.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or bare)
        if relation.lower() in said.get("rel", "").lower().split() and "anchor" not in said:
            return link[1].strip()
    return None
