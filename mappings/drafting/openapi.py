"""In: a parsed OpenAPI 3 document. Out: the lists of records that it offers, and how it says they are reached.

References within the document are followed, `allOf` is merged, of `oneOf` and `anyOf` the first counts; nothing is
fetched. What the document does not say is guessed elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mappings.drafting.words import ENVELOPES, match, singular

Schema = dict[str, Any]
DEEPEST = 12
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NoOpenApiError(ValueError):
    """The document is no OpenAPI 3 document with a list in it; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A GET that answers with a list of objects. `records` is the list's path, `wrap` one name around each record."""

    path: str
    about: str
    parameters: dict[str, Schema]
    records: str | None
    wrap: str | None
    record: Schema
    envelope: Schema

    @property
    def blanks(self) -> list[str]:
        """The path's own parameters, in order."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{") and part.endswith("}")]


@dataclass(frozen=True, slots=True)
class Api:
    """What an OpenAPI document offers: its title, first address, ways to sign a request, lists."""

    title: str
    server: str | None
    signs: list[Schema]
    listings: list[Listing]
    skipped: list[str] = field(default_factory=list)


def read_openapi_file(path: Path) -> Any:
    """The document in a JSON or YAML file. Raises NoOpenApiError where it cannot be read."""
    try:
        text = path.read_text("utf-8")
        return json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _LOADER)  # noqa: S506
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        what = str(error).partition("\n")[0]
        raise NoOpenApiError(f"{path}: cannot be read as JSON or YAML ({what})") from None


def read_openapi(document: Any) -> Api:
    """The lists of an OpenAPI 3 document. Raises NoOpenApiError."""
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3"):
        raise NoOpenApiError("this is no OpenAPI 3 document: it does not begin with `openapi: 3.…`")
    reader = _Reader(document)
    listings, skipped = reader.listings()
    if not listings:
        raise NoOpenApiError("no GET of this document answers with a list of objects")
    servers = document.get("servers") or []
    server = servers[0].get("url") if servers and isinstance(servers[0], dict) else None
    return Api(str(document.get("info", {}).get("title", "")), server, reader.signs(), listings, skipped)


class _Reader:
    """Follows the references of one document."""

    def __init__(self, document: Schema) -> None:
        self._document = document

    def signs(self) -> list[Schema]:
        """The security schemes, those that the whole document asks for first."""
        schemes = self.follow(self._document.get("components", {})).get("securitySchemes", {})
        wanted = [name for each in self._document.get("security") or [] if isinstance(each, dict) for name in each]
        return [self.follow(schemes[name]) for name in dict.fromkeys([*wanted, *schemes]) if name in schemes]

    def listings(self) -> tuple[list[Listing], list[str]]:
        """Every list, and the paths of lists that want more than one parent."""
        found, skipped = [], []
        for path, item in (self._document.get("paths") or {}).items():
            operation = self.follow(self.follow(item).get("get"))
            listing = self._listing(path, self.follow(item), operation) if operation else None
            if listing is not None and len(listing.blanks) <= 1:
                found.append(listing)
            elif listing is not None:
                skipped.append(path)
        return found, skipped

    def _listing(self, path: str, item: Schema, operation: Schema) -> Listing | None:
        answer = None if path.rstrip("/").endswith("}") else self._answer(operation)  # one record, with lists in it
        where = None if answer is None else self._list(answer)
        if answer is None or where is None:
            return None
        records, schema = where
        record, wrap = self.whole(schema), None
        inner = self.properties(record)
        if inner and all(each.get("properties") for each in inner.values()):
            wrap = next(iter(inner)) if len(inner) == 1 else match(inner, (singular(path.rpartition("/")[2]),))
            record = inner[wrap] if wrap else record
        about = str(operation.get("summary") or operation.get("description") or "").strip().partition("\n")[0]
        parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
        return Listing(
            path, about, self._query(parameters), records, wrap, self.resolved(record), self.resolved(answer)
        )

    def _query(self, parameters: list[Any]) -> dict[str, Schema]:
        followed = [self.follow(each) for each in parameters]
        asked = [each for each in followed if each.get("in") == "query" and "name" in each]
        return {str(each["name"]): self.whole(each.get("schema", each)) for each in asked}

    def _answer(self, operation: Schema) -> Schema | None:
        answers = operation.get("responses") or {}
        good = next((answers[code] for code in ("200", 200, "2XX", "206", "default") if code in answers), None)
        content = self.follow(good).get("content") or {}
        json = next((said for kind, said in content.items() if "json" in kind), None)
        return None if json is None else self.whole(self.follow(json).get("schema"))

    def _list(self, answer: Schema) -> tuple[str | None, Schema] | None:
        if answer.get("type") == "array" and self._is_object(answer.get("items")):
            return None, answer["items"]
        found = dict(self._lists_in(answer, ""))
        if not found:
            return None
        shallow = {path: items for path, items in found.items() if "." not in path} or found
        best = match([path.rpartition(".")[2] for path in shallow], ENVELOPES)
        path = next((p for p in shallow if p.rpartition(".")[2] == best), next(iter(shallow)))
        return path, shallow[path]

    def _lists_in(self, answer: Schema, before: str) -> Iterator[tuple[str, Schema]]:
        for name, inner in self.properties(answer).items():
            path = f"{before}{name}"
            if inner.get("type") == "array" and self._is_object(inner.get("items")):
                yield path, inner["items"]
            elif not before and inner.get("properties"):
                yield from self._lists_in(inner, f"{path}.")

    def _is_object(self, schema: Any) -> bool:
        return bool(self.properties(self.whole(schema)))

    def properties(self, schema: Schema) -> dict[str, Schema]:
        """The properties of an object, each whole."""
        said = schema.get("properties") or {}
        return {name: self.whole(inner) for name, inner in said.items()}

    def resolved(self, schema: Schema, levels: int = 3) -> Schema:
        """The schema with its properties whole, so many levels deep."""
        if levels == 0 or not schema.get("properties"):
            return schema
        inner = {name: self.resolved(each, levels - 1) for name, each in self.properties(schema).items()}
        return {**schema, "properties": inner}

    def whole(self, schema: Any, depth: int = 0) -> Schema:
        """The schema with its parts merged: `allOf`, and the first of `oneOf` or `anyOf` that is something."""
        followed = self.follow(schema)
        if depth > DEEPEST:
            return followed
        for word in ("allOf", "oneOf", "anyOf"):
            parts = [self.whole(part, depth + 1) for part in followed.get(word) or []]
            parts = [part for part in parts if part.get("type") != "null"]
            chosen = parts if word == "allOf" else parts[:1]
            for part in chosen:
                merged = {**(part.get("properties") or {}), **(followed.get("properties") or {})}
                followed = {**part, **followed, **({"properties": merged} if merged else {})}
        kinds = followed.get("type")
        if isinstance(kinds, list):
            followed = {**followed, "type": next((kind for kind in kinds if kind != "null"), "null")}
        return followed

    def follow(self, schema: Any) -> Schema:
        """What a reference within the document leads to; nothing where it leads nowhere, outside or in a circle."""
        for _ in range(DEEPEST):
            if not isinstance(schema, dict):
                return {}
            place = schema.get("$ref")
            if not isinstance(place, str):
                return schema
            if not place.startswith("#/"):
                return {}
            schema = self._document
            for part in place[2:].split("/"):
                name = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
                schema = schema.get(name) if isinstance(schema, dict) else None
        return {}
