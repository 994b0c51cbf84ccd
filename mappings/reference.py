"""In: a System. Out: its reference page in Markdown: how each stream is fetched, where every field comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mappings.checking.saying import is_literal
from mappings.fetching import WAYS, Pages, Since
from mappings.model import ENTITIES, Field
from mappings.signing import Auth
from mappings.spec import Reference, Stream, System, Value

PROVEN = {
    "live": "seen working against a running server",
    "recorded": "tested with recorded answers of a real server",
    "documented": "written by the vendor's documentation; no real server has answered it yet",
}
_PARTY = ("emails", "phones", "devices")


def reference_page(system: System) -> str:
    """The page, complete and in the file's order."""
    return "\n".join([*_head(system), *(line for name in system.streams for line in _stream(system, name)), ""])


def _head(system: System) -> Iterator[str]:
    yield f"# {system.system}"
    yield ""
    yield system.about
    yield ""
    yield f"A system of the kind {system.kind}, {PROVEN[system.verified]}."
    yield from [f"Vendor's documentation: <{system.docs}>", ""] if system.docs else [""]
    if system.scopes:
        yield from [f"The credential must be allowed: {', '.join(f'`{scope}`' for scope in system.scopes)}.", ""]
    yield f"Signed by {_auth(system.http.auth)}; pulled every {system.every} where the company does not say otherwise."
    yield from ["", "| setting | secret | default | meaning |", "|---|---|---|---|"]
    for name, setting in system.settings.items():
        default = f"`{setting.default}`" if setting.default is not None else ""
        yield f"| `{name}` | {'yes' if setting.secret else ''} | {default} | {_cell(setting.about)} |"


def _auth(auth: Auth | None) -> str:
    return next((n for n in Auth.model_fields if getattr(auth, n) is not None), "nothing") if auth else "nothing"


def _stream(system: System, name: str) -> Iterator[str]:
    stream: Stream = system.streams[name]
    yield from ["", f"## {name}", ""]
    yield from [stream.about, ""] if stream.about else []
    yield f"`{stream.method} {stream.path}`, key {_paths(stream.key)}. {_fetched(system, stream)}"
    yield from ["", "| here | from the record | how |", "|---|---|---|"]
    if stream.belongs_to is not None:
        yield f"| *whose it is* | {_owners(stream.belongs_to)} | where a block does not say otherwise |"
    if stream.profile is not None:
        yield from _profile(stream.profile)
    for entity in (e.name for e in ENTITIES.values() if not e.party):
        for block in stream.blocks(entity):
            yield from _block(entity, block)


def _fetched(system: System, stream: Stream) -> str:
    pages = stream.pages if "pages" in stream.model_fields_set else system.http.pages
    said = [f"Pages: {_pages(pages)}.", f"Changes: {_since(stream.since)}."]
    if stream.parent is not None:
        said.append(f"One request for each record of `{stream.parent.stream}` that is new or changed.")
    if stream.deleted is not None:
        how = (
            "what a full reading lacks is gone" if stream.deleted.absent else f"gone where {_when(stream.deleted.when)}"
        )
        said.append(f"Deletions: {how}.")
    if stream.deletes is not None:
        said.append(f"Its records say which records of `{stream.deletes}` are gone.")
    if stream.webhook is not None:
        said.append("Takes notifications.")
    return " ".join(said)


def _pages(pages: Pages | None) -> str:
    if pages is None:
        return "the list comes whole"
    way = next(way for way in WAYS if getattr(pages, way) is not None)
    return f"by {way} (`{_paths(getattr(pages, way)).strip('`')}`)"


def _since(since: Since | None) -> str:
    if since is None:
        return "every pull reads the whole list"
    if since.keep_cursor:
        return "from where the last pull ended"
    if since.newest_first:
        return f"the newest first, until what is known by `{since.field}`"
    return f"by `{since.param or '{since}'}`, the newest `{since.field}` seen"


def _profile(block: Any) -> Iterator[str]:
    for name in type(block).model_fields:
        said = getattr(block, name)
        if said is None or name in ("when", "memberships"):
            continue
        if isinstance(said, dict):
            for inner, value in said.items():
                yield _row(f"profile.{name}.{inner}", value)
        elif name == "address":
            for inner in type(said).model_fields:
                if getattr(said, inner) is not None:
                    yield _row(f"profile.address.{inner}", getattr(said, inner))
        else:
            for value in said if name in _PARTY else [said]:
                yield _row(f"profile.{name}", value, ENTITIES["profile"].fields.get(name))
    for member in block.memberships or []:
        yield f"| profile.memberships | {_owners(member.organization)} | role {_from(member.role)[0] or '–'} |"
    if block.when:
        yield f"| profile | | only where {_when(block.when)} |"


def _block(entity: str, block: Any) -> Iterator[str]:
    each = f"one for each of `{block.each}`" if isinstance(block.each, str) else ""
    if isinstance(block.each, list):
        each = f"one for each of `{'` › `'.join(block.each)}`"
    limits = "; ".join(part for part in (each, f"only where {_when(block.when)}" if block.when else "") if part)
    if limits:
        yield f"| {entity} | | {limits} |"
    for name in ENTITIES[entity].fields:
        said = getattr(block, name, None)
        if said is not None and name == "profile":
            yield f"| {entity}.profile | {_owners(said)} | |"
        elif said is not None:
            yield _row(f"{entity}.{name}", said, ENTITIES[entity].fields[name])


def _row(name: str, said: Any, field: Field | None = None) -> str:
    where, how = _from(said)
    fixed = field is not None and not isinstance(said, Value) and is_literal(said, field)
    return f"| {name} | {'always ' if fixed else ''}{where} | {how} |"


def _from(said: Any) -> tuple[str, str]:
    if said is None:
        return "", ""
    if not isinstance(said, Value):
        return f"`{said}`", ""
    where = f"`{said.path}`" if said.path else ""
    for word, parts in (("first of", said.first), ("joined", said.join)):
        if parts is not None:
            where = f"{word} {', '.join(_from(part)[0] for part in parts)}"
    if not where:
        where = f"always `{said.const}`" if "const" in said.model_fields_set else "an expression"
    return where, _cell("; ".join(_how(said)))


def _how(said: Value) -> Iterator[str]:
    for word in ("convert", "prefix", "split", "minor", "major", "times", "region", "zone"):
        if getattr(said, word) is not None:
            yield f"{word} `{getattr(said, word)}`"
    if said.table is not None:
        yield ", ".join(f"{theirs} → {ours}" for theirs, ours in said.table.items())
    if said.default is not None:
        yield f"else `{said.default}`"
    if said.when:
        yield f"only where {_when(said.when)}"


def _owners(said: Reference | list[Reference]) -> str:
    listed = said if isinstance(said, list) else [said]
    return ", else ".join(f"`{each.stream}` {_from(each.key)[0]}" for each in listed)


def _when(when: Any) -> str:
    def shown(test: Any) -> str:
        if hasattr(test, "model_fields_set"):
            words = {"is_not": "not"}
            return ", ".join(f"{words.get(n, n)} {getattr(test, n)}" for n in sorted(test.model_fields_set))
        return " or ".join(map(str, test)) if isinstance(test, list) else str(test)

    return _cell(" and ".join(f"`{path}` is {shown(test)}" for path, test in (when or {}).items()))


def _paths(said: str | list[str]) -> str:
    return ", ".join(f"`{path}`" for path in ([said] if isinstance(said, str) else said))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
