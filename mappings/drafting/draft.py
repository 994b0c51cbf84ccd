"""In: what an OpenAPI document offers. Out: a draft of a mapping file that loads, with a remark at every guess."""

from __future__ import annotations

from typing import Any

from mappings.drafting.meaning import meaning_of, profile_of
from mappings.drafting.openapi import Api, Listing, Schema
from mappings.drafting.text import Guess, Remark, yaml_text
from mappings.drafting.words import (
    CURSORS,
    KEYS,
    LINKS,
    MORE,
    PARAMETERS,
    PROFILE,
    TOTAL_PAGES,
    TOTALS,
    match,
    matches,
    singular,
    snake,
)  # fmt: skip

Data = dict[Any, Any]
USUAL_PAGE = 100
FOREIGN = (
    "external_",
    "parent_",
    "customer_",
    "user_",
    "account_",
    "organization_",
    "company_",
    "owner_",
    "created_by_",
)


def draft_of(api: Api, kind: str, name: str, schema: str) -> str:
    """The YAML text of a mapping file named `name`, whose editor schema stands at the relative path `schema`."""
    settings, auth = _auth(api)
    server = api.server or ""
    known = server if "://" in server and "{" not in server else None
    like = f" as {server}" if server else ""
    settings["base_url"] = {"default": known} if known else {"about": f"Address of the API{like}"}
    streams = _streams(api)
    data: Data = {
        "system": name,
        "kind": kind,
        "about": api.title or name,
        "verified": "documented",
        "settings": settings,
        "http": {"base_url": "${base_url}", **({"auth": auth} if auth is not None else {})},
        "streams": streams,
    }
    left = [Remark(("Not drafted, for they hang on more than one parent:", *api.skipped))] if api.skipped else []
    text = yaml_text(data) + "".join(yaml_text({"": remark}, 1) for remark in left)
    head = f"# yaml-language-server: $schema={schema}\n# A draft out of an OpenAPI document: look at every `guess`.\n"
    return head + text


def _auth(api: Api) -> tuple[Data, Any]:
    for sign in api.signs:
        kind, scheme = sign.get("type"), str(sign.get("scheme", "")).lower()
        if kind == "http" and scheme == "bearer":
            return _bearer(None)
        if kind == "http" and scheme == "basic":
            both = {"user": {"about": "User"}, "password": {"secret": True, "about": "Password"}}
            return both, {"basic": {"user": "${user}", "password": "${password}"}}
        if kind == "apiKey" and sign.get("in") in ("header", "query"):
            return {"key": {"secret": True, "about": "API key"}}, {
                "api_key": {sign["in"]: str(sign.get("name")), "value": "${key}"}
            }
        if kind == "oauth2":
            return _oauth2(sign)
    return _bearer("the document says nothing")


def _bearer(why: str | None) -> tuple[Data, Any]:
    said = {"bearer": "${token}"}
    return {"token": {"secret": True, "about": "Access token"}}, said if why is None else Guess(said, why)


def _oauth2(sign: Schema) -> tuple[Data, Any]:
    flows = sign.get("flows") or {}
    flow = flows.get("clientCredentials") or flows.get("authorizationCode") or {}
    if "clientCredentials" not in flows or "://" not in str(flow.get("tokenUrl")):
        why = "it speaks OAuth 2; a token that does not expire is the simplest way in"
        return _bearer(why)
    settings = {"client_id": {"about": "Client id"}, "client_secret": {"secret": True, "about": "Client secret"}}
    said = {"token_url": flow["tokenUrl"], "client_id": "${client_id}", "client_secret": "${client_secret}"}
    scopes = " ".join(flow.get("scopes") or {})
    return settings, {"oauth2": {**said, **({"scope": Guess(scopes, "all that there are")} if scopes else {})}}


def _streams(api: Api) -> Data:
    names = _names(api.listings)
    streams: Data = {}
    for listing in api.listings:
        if not listing.blanks:
            streams[names[listing.path]] = _stream(listing)
    for listing in api.listings:
        parent = next((p for p in names if listing.blanks and p == listing.path.partition("/{")[0]), None)
        if parent is not None and names[parent] in streams:
            streams[names[listing.path]] = _child(listing, names[parent], streams[names[parent]])
    listings = {names[each.path]: each for each in api.listings if names[each.path] in streams}
    profiles = {name: _plain(streams[name]["key"]) for name, each in listings.items() if profile_of(name, each)}
    return {name: stream | meaning_of(name, listings[name], profiles) for name, stream in streams.items()}


def _names(listings: list[Listing]) -> dict[str, str]:
    """Path to a stream's name: its last word, with the words before it where that is taken."""
    names: dict[str, str] = {}
    for listing in sorted(listings, key=lambda each: len(each.blanks)):
        words = [snake(part) for part in listing.path.split("/") if part and not part.startswith("{")]
        taken = set(names.values())
        options = ["_".join(words[-count:]) for count in range(1, len(words) + 1)] or ["records"]
        name = next((option for option in options if option not in taken), f"{options[-1]}_{len(names)}")
        names[listing.path] = name if name[0].isalpha() else f"list_{name}"
    return names


def _stream(listing: Listing) -> Data:
    said: Data = {"get": listing.path}
    if listing.about:
        said["about"] = listing.about
    said |= {"records": listing.records} if listing.records else {}
    said["key"] = _key(listing)
    pages = _pages(listing)
    if pages is not None:
        said["pages"] = pages
    since = _since(listing)
    return {**said, **({"since": since} if since else {})}


def _child(listing: Listing, parent: str, of: Data) -> Data:
    blank = listing.blanks[0]
    key = _plain(of["key"])
    said = _stream(listing) | {"get": listing.path.replace(f"{{{blank}}}", f"{{parent.{key}}}")}
    said.pop("since", None)
    kept = f"{singular(parent)}_{key.rpartition('.')[2]}"
    return {**said, "parent": {"stream": parent, "keep": {kept: key}}}


def _plain(said: Any) -> Any:
    return said.value if isinstance(said, Guess) else said


def _key(listing: Listing) -> Any:
    names = list(listing.record.get("properties") or {})
    own = f"{singular(listing.path.rstrip('/').rpartition('/')[2])}_id"
    first = [name for name in names if snake(name).endswith(("_id", "_uuid")) and not snake(name).startswith(FOREIGN)][
        :1
    ]
    found = match(names, ("id", own, "uuid", "guid", *first, *KEYS))
    before = f"{listing.wrap}." if listing.wrap else ""
    if found is None:
        return Guess(f"{before}id", "no name looks like a key")
    return f"{before}{found}" if found == "id" else Guess(f"{before}{found}", "it looks like one")


def _pages(listing: Listing) -> Any:
    asked = matches(listing.parameters, PARAMETERS)
    answer = _paths(listing.envelope)
    size = {asked["size"]: _largest(listing.parameters[asked["size"]])} if "size" in asked else None
    sized = {"size": size} if size else {}
    link, cursor = _in(answer, LINKS, ("string",)), _in(answer, CURSORS, ("string", "integer", None))
    more = _in(answer, MORE, ("boolean",))
    told = {"while": more} if more else {}
    if "offset" in asked and (cursor or "").rpartition(".")[2] == "next_offset":
        return Guess({"cursor": asked["offset"], "value": cursor, **sized}, "by the names")
    if "cursor" in asked and cursor:
        return Guess({"cursor": asked["cursor"], "value": cursor, **told, **sized}, "by the names")
    if "after" in asked and cursor and not more:
        return Guess({"cursor": asked["after"], "value": cursor, **sized}, "by the names")
    if "after" in asked:
        return Guess({"after": asked["after"], "value": "last.id", **told, **sized}, "by the names")
    if "page" in asked:
        pages, total = _in(answer, TOTAL_PAGES, ("integer",)), _in(answer, TOTALS, ("integer",))
        end = {"total_pages": pages} if pages else {"total": total} if total else {}
        return Guess({"page": asked["page"], **end, **sized}, "by the names")
    if "offset" in asked:
        total = _in(answer, TOTALS, ("integer",))
        return Guess({"offset": asked["offset"], **({"total": total} if total else {}), **sized}, "by the names")
    return Guess({"next": link, **sized}, "by its name") if link else None


def _since(listing: Listing) -> Any:
    asked = match(listing.parameters, PARAMETERS["since"])
    names = listing.record.get("properties") or {}
    changed = match(names, PROFILE["updated_at"]) or match(names, PROFILE["created_at"])
    if asked is None or changed is None:
        return None
    schema = listing.parameters[asked]
    counted = schema.get("type") in ("integer", "number")
    form = {"as": "epoch_s"} if counted else {"as": "date"} if schema.get("format") == "date" else {}
    before = f"{listing.wrap}." if listing.wrap else ""
    return Guess({"param": asked, "field": f"{before}{changed}", **form}, "by the names")


def _paths(schema: Schema, before: str = "") -> dict[str, Any]:
    """Path to type of what stands in the answer beside the list, two levels deep."""
    found: dict[str, Any] = {}
    for name, inner in (schema.get("properties") or {}).items():
        kind = inner.get("type") if isinstance(inner, dict) else None
        found[f"{before}{name}"] = kind if isinstance(kind, str) else None
        if not before and isinstance(inner, dict):
            found |= _paths(inner, f"{name}.")
    return found


def _in(answer: dict[str, Any], words: tuple[str, ...], kinds: tuple[str | None, ...]) -> str | None:
    fits = {path.rpartition(".")[2]: path for path, kind in reversed(answer.items()) if kind in kinds}
    found = match(fits, words)
    return None if found is None else fits[found]


def _largest(schema: Schema) -> int:
    most = schema.get("maximum") or schema.get("default") or USUAL_PAGE
    return int(most) if isinstance(most, int | float) and 0 < most <= 1000 else USUAL_PAGE
