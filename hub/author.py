"""Beginning a mapping. In: a kind, a name, perhaps an OpenAPI document. Out: files in a folder of one's own."""

from __future__ import annotations

import re
from pathlib import Path

from mappings.drafting.draft import draft_of
from mappings.drafting.openapi import read_openapi, read_openapi_file
from mappings.drafting.template import template_of
from mappings.loader import schema_json, shipped

_SOURCES = re.compile(r"(?m)^sources:[ \t]*(#.*)?\n(?:(?:[ \t]+.*|[ \t]*#.*|[ \t]*)\n)*")


class AuthorError(Exception):
    """A file cannot be begun; the message says why and what helps."""


def begin(folder: Path, kind: str, name: str, openapi: Path | None) -> list[Path]:
    """Writes `sources/KIND/NAME.yml`, the editor's schema, and the source's line in rules/company.yml; what it wrote.

    Of a document in the place of a template every guess is marked. Raises AuthorError where the name is none or
    taken, NoOpenApiError where the document is none.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise AuthorError(f"{name!r} is no system's name: lower case letters, digits and _")
    mapping = folder / "sources" / kind / f"{name}.yml"
    if mapping.exists():
        raise AuthorError(f"{mapping} is there already; change it, or take another name")
    schema = "../../mapping.schema.json"
    text = template_of(kind, name, schema)
    if openapi is not None:
        text = draft_of(read_openapi(read_openapi_file(openapi)), kind, name, schema)
    company = folder / "rules" / "company.yml"
    listed = _company(company, name)
    written = {mapping: text, folder / "mapping.schema.json": schema_json(), company: listed}
    for path, content in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return list(written)


def _company(path: Path, name: str) -> str:
    """The company's file with the source in it: its own where there is one, else the shipped one less its sources."""
    line = f"  {name}: {{system: {name}}}\n"
    if not path.exists():
        text = (shipped() / "rules" / "company.yml").read_text("utf-8")
        return _SOURCES.sub(f"sources:\n{line}\n", text, count=1)
    text = path.read_text("utf-8")
    if re.search(rf"(?m)^\s+{name}\s*:", text):
        return text
    block = _SOURCES.search(text)
    if block is None:
        raise AuthorError(f"{path}: no block `sources:`; add `{line.strip()}` to its sources by hand")
    held = block[0].rstrip("\n")
    return text[: block.start()] + f"{held}\n{line}" + block[0][len(held) + 1 :] + text[block.end() :]
