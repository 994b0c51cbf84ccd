"""Drafts of mapping files: each loads as it stands, and says what was guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.parcel_desk import DOCUMENT
from mappings.checking.document import parse_document
from mappings.drafting.draft import draft_of
from mappings.drafting.openapi import NoOpenApiError, read_openapi, read_openapi_file
from mappings.drafting.template import KINDS, template_of
from mappings.drafting.text import yaml_text
from mappings.loader import load_system
from mappings.spec import System


def loaded(folder: Path, text: str) -> System:
    path = folder / "acme.yml"
    path.write_text(text, "utf-8")
    return load_system(path)


def document(paths: dict[str, Any], **components: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "Acme"}, "paths": paths, "components": components}


def answers(schema: dict[str, Any], *parameters: str) -> dict[str, Any]:
    asked = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in parameters]
    content = {"application/json": {"schema": schema}}
    return {"get": {"parameters": asked, "responses": {"200": {"content": content}}}}


def listed(items: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"data": {"type": "array", "items": items}, **beside}}


THING = {"type": "object", "properties": {"id": {"type": "string"}, "email": {"type": "string"}}}


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_loads_as_it_stands_and_explains_itself(tmp_path: Path, kind: str) -> None:
    text = template_of(kind, "acme", "../../mapping.schema.json")
    system = loaded(tmp_path, text)
    assert system.kind == kind
    assert system.settings["token"].secret
    assert text.startswith("# yaml-language-server: $schema=../../mapping.schema.json\n")
    assert text.count("#") > 10


def test_a_document_of_an_unknown_desk_becomes_a_mapping(tmp_path: Path) -> None:
    text = draft_of(read_openapi(DOCUMENT), "support", "acme", "x.json")
    system = loaded(tmp_path, text)
    people, requests, messages = (system.streams[name] for name in ("people", "requests", "messages"))
    assert (people.path, people.records, people.key) == ("/people", "items", "uid")
    assert people.pages is not None
    assert (people.pages.page, people.pages.total_pages) == ("page", "meta.totalPages")
    assert people.since is not None
    assert (people.since.param, people.since.as_) == ("changedSince", "epoch_s")
    assert people.profile.emails == ["contact.mail"]  # type: ignore[attr-defined]
    assert requests.belongs_to.key == "person.uid"  # type: ignore[union-attr]
    assert requests.blocks("case")[0].status.table == {"new": "OPEN", "waiting": "PENDING", "done": "CLOSED"}
    assert messages.parent is not None
    assert (messages.path, messages.parent.stream) == ("/requests/{parent.no}/messages", "requests")
    assert system.http.auth is not None
    assert system.http.auth.api_key is not None
    assert system.http.auth.api_key.header == "X-Desk-Key"
    assert text.count("# guess:") > 10


PAGED = [
    ("number", ["page", "per_page"], {}, {"page": "page", "size": {"per_page": 100}}),
    ("offset", ["offset", "limit"], {"total": {"type": "integer"}}, {"offset": "offset", "total": "total"}),
    ("cursor", ["page_token"], {"next_page_token": {"type": "string"}}, {"cursor": "page_token"}),
    ("opaque offset", ["offset"], {"next_offset": {"type": "string"}}, {"cursor": "offset", "value": "next_offset"}),
    ("last id", ["starting_after"], {"has_more": {"type": "boolean"}}, {"after": "starting_after", "value": "last.id"}),
    ("next address", [], {"next": {"type": "string"}}, {"next": "next"}),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "beside", "expected"), [p[1:] for p in PAGED], ids=[p[0] for p in PAGED])
def test_pages_are_guessed_by_names(
    tmp_path: Path, asked: list[str], beside: dict[str, Any], expected: dict[str, Any]
) -> None:
    api = read_openapi(document({"/things": answers(listed(THING, **beside), *asked)}))
    pages = loaded(tmp_path, draft_of(api, "crm", "acme", "x")).streams["things"].pages
    assert pages is not None
    assert expected.items() <= pages.model_dump(by_alias=True, exclude_none=True).items()


AUTH = [
    ("bearer", {"type": "http", "scheme": "bearer"}, "bearer"),
    ("basic", {"type": "http", "scheme": "basic"}, "basic"),
    ("key", {"type": "apiKey", "in": "query", "name": "api_key"}, "api_key"),
    ("client", {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://a.example/t"}}}, "oauth2"),
    ("oauth for people", {"type": "oauth2", "flows": {"implicit": {}}}, "bearer"),
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "way"), [a[1:] for a in AUTH], ids=[a[0] for a in AUTH])
def test_the_way_to_sign_in_is_taken_over(tmp_path: Path, scheme: dict[str, Any], way: str) -> None:
    api = read_openapi(document({"/things": answers(listed(THING))}, securitySchemes={"s": scheme}))
    auth = loaded(tmp_path, draft_of(api, "crm", "acme", "x")).http.auth
    assert auth is not None
    assert getattr(auth, way) is not None


def test_references_merges_and_wrapped_records_are_followed(tmp_path: Path) -> None:
    parts = {"Named": {"type": "object", "properties": {"last_name": {"type": ["string", "null"]}}}}
    person = {"allOf": [THING, {"$ref": "#/components/schemas/Named"}]}
    wrapped = {"type": "object", "properties": {"customer": person, "card": THING}}
    api = read_openapi(document({"/v2/customers": answers(listed(wrapped))}, schemas=parts))
    stream = loaded(tmp_path, draft_of(api, "billing", "acme", "x")).streams["customers"]
    assert stream.key == "customer.id"
    assert stream.profile.family_name == "customer.last_name"  # type: ignore[attr-defined]


def test_a_schema_that_contains_itself_ends(tmp_path: Path) -> None:
    node: dict[str, Any] = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "up": {"$ref": "#/components/schemas/Node"}},
    }
    node["allOf"] = [{"$ref": "#/components/schemas/Node"}]
    api = read_openapi(
        document({"/nodes": answers(listed({"$ref": "#/components/schemas/Node"}))}, schemas={"Node": node})
    )
    assert list(loaded(tmp_path, draft_of(api, "crm", "acme", "x")).streams) == ["nodes"]


def test_what_hangs_on_two_parents_is_named_and_left(tmp_path: Path) -> None:
    paths = {"/a": answers(listed(THING)), "/a/{x}/b/{y}/c": answers(listed(THING)), "/a/{x}": answers(listed(THING))}
    text = draft_of(read_openapi(document(paths)), "crm", "acme", "x")
    assert list(loaded(tmp_path, text).streams) == ["a"]
    assert "/a/{x}/b/{y}/c" in text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"swagger": "2.0"}, "no OpenAPI 3 document"),
        ([1], "no OpenAPI 3 document"),
        (document({"/a": answers({"type": "object"})}), "no GET of this document answers with a list"),
        (document({"/a": {"get": {"responses": {"200": {"$ref": "other.json"}}}}}), "no GET of this document"),
    ],
    ids=["version 2", "a list", "no list", "references elsewhere"],
)
def test_a_document_without_lists_is_refused(said: Any, told: str) -> None:
    with pytest.raises(NoOpenApiError, match=told):
        read_openapi(said)


@pytest.mark.parametrize("text", ["{", "a: [", "\x00"], ids=["JSON", "YAML", "binary"])
def test_a_file_that_is_neither_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "api"
    path.write_text(text)
    with pytest.raises(NoOpenApiError, match="cannot be read as JSON or YAML") as refused:
        read_openapi_file(path)
    assert "\n" not in str(refused.value)


WORDS = st.sampled_from(
    ["id", "email", "no", "yes", "null", "1", "a b", "ü", "x.y", "status", "ORDER", "currency", "total", "{", "#"]
)
SCHEMAS = st.recursive(
    st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "boolean", ["string", "null"], None])}),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(WORDS, inner, max_size=5)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"allOf": st.lists(inner, max_size=2)}),
        st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(WORDS, max_size=3)}),
    ),
    max_leaves=12,
)
NAMES = st.sampled_from(["/things", "/people", "/v1/no", "/1", "/things/{id}/parts", "/orders", "/", "/a-b/c.d"])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, SCHEMAS, min_size=1, max_size=4))
def test_whatever_a_document_says_its_draft_loads(
    tmp_path_factory: pytest.TempPathFactory, schemas: dict[str, dict[str, Any]]
) -> None:
    paths = {path: answers(listed(schema), "page", "since") for path, schema in schemas.items()}
    try:
        api = read_openapi(json.loads(json.dumps(document(paths))))
    except NoOpenApiError:
        return
    if any(not listing.blanks for listing in api.listings):
        system = loaded(tmp_path_factory.mktemp("draft"), draft_of(api, "crm", "acme", "x"))
        assert len(system.streams) >= 1


@pytest.mark.parametrize(
    "word",
    ["no", "1", "1.5", "a: b", "null", "~", "- x", "#", "", " x ", "true", "x y", "${a}", "ü", "{", "2026-01-01"],
)
def test_a_word_is_read_back_as_it_was_written(word: str) -> None:
    data = {"a": {word or "e": word, "list": [word, {"in": word}]}}
    assert parse_document(yaml_text(data), "acme.yml").data == data
