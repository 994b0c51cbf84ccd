"""In: the profile block of a stream. Out: the generated statements for who somebody is.

Rows of profile, contact_point, identifier and membership come from the one block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from mappings.compiling.blocks import Rows
from mappings.compiling.fields import KEY, RAW, TEXT
from mappings.converters import CONVERTERS
from mappings.converting.countries import country_code
from mappings.model import ENTITIES, KEY_LIMIT
from mappings.spec import Value
from mappings.values import plain

Contacts = dict[tuple[str, str], str | None]
_PLAIN = ("given_name", "family_name", "display_name", "birth_date", "language", "country", "created_at", "updated_at")
_LISTS = (
    ("emails", "EMAIL", "email"),
    ("phones", "PHONE", "phone"),
    ("devices", "DEVICE", "strip"),
    ("handles", "SOCIAL", "handle"),
)
_ENCODER = msgspec.json.Encoder(order="sorted")


def parties(rows: Rows, name: str, block: Any) -> None:
    """Writes the stream's profile block; afterwards `own` is the record's profile, None where its `when` fails."""
    code = rows.code
    code.line("own = None")
    rows.owner = "own"
    depth = code.depth
    if block.when:
        code.line(f"if {rows.values.holds(rows.record, block.when)}:")
        code.depth += 1
    key = "key" if block.key is None else rows.key(rows.record, block.key)
    code.line(f"own = ({code.bind(name)}, {key})")
    _profile(rows, block)
    _identifiers(rows, block)
    _memberships(rows, block)
    code.depth = depth


def _profile(rows: Rows, block: Any) -> None:
    code, put = rows.code, rows.values.put
    fields = ENTITIES["profile"].fields
    said: dict[str, str] = {}
    for name in ("kind", *_PLAIN):
        value = getattr(block, name)
        said[name] = "None" if value is None else put(rows.record, value, name, fields[name], fields[name].required)
    rows.values.country = None if said["country"] == "None" else said["country"]
    _contacts(rows, block)
    given, family, shown = (_own(rows, said[name]) for name in ("given_name", "family_name", "display_name"))
    code.line(f"if {said['kind']} == 'ORGANIZATION': {given} = {family} = None")
    code.line(f"if {shown} is None: {shown} = {code.function(shown_name)}({given}, {family}, c)")
    updated = said["updated_at"]
    if updated == "None":
        updated = said["created_at"]
    else:
        code.line(f"if {updated} is None: {updated} = {said['created_at']}")
    attributes = _attributes(rows, block)
    columns = [said["kind"], given, family, shown, said["birth_date"], said["language"], said["country"]]
    code.line(f"add_profile((no, 0, own, {', '.join([*columns, said['created_at'], updated, attributes])}))")


def _own(rows: Rows, said: str) -> str:
    """A variable that may be assigned to, for what may be a constant."""
    variable = rows.code.fresh()
    rows.code.line(f"{variable} = {said}")
    return variable


def _contacts(rows: Rows, block: Any) -> None:
    code = rows.code
    code.line("c = {}")
    for listed, kind, converter in _LISTS:
        for said in getattr(block, listed) or []:
            value = said if isinstance(said, Value) else Value(path=str(said))
            raw = rows.values.put(rows.record, value.model_copy(update={"convert": None}), listed, RAW)
            convert = CONVERTERS[value.convert or converter]
            further = f", {rows.values.region(rows.record, value)}" if convert.takes == "region" else ""
            call, split = code.function(convert.call), code.bind(value.split)
            place = rows.values.place(rows.record, value)
            add = code.function(add_contacts)
            code.line(f"if {raw} is not None: {add}(c, {code.bind(kind)}, {call}, {raw}, {split}{further})", place)
    if block.address is not None:
        parts = ("street", "postcode", "city", "region", "country")
        said_parts = ((part, getattr(block.address, part)) for part in parts)
        found = ["None" if s is None else rows.values.put(rows.record, s, "", TEXT) for _, s in said_parts]
        code.line(f"{code.function(add_address)}(c, {', '.join(found)})")
    code.line("for i, ((kind, value), raw) in enumerate(c.items()): add_contact_point((no, i, own, kind, value, raw))")


def _identifiers(rows: Rows, block: Any) -> None:
    rows.code.line("n = 0")
    for system, said in (block.identifiers or {}).items():
        value = rows.values.put(rows.record, said, system, KEY)
        with rows.code.under(f"if {value} is not None:"):
            rows.code.line(f"add_identifier((no, n, own, {rows.code.bind(system)}, {value}))")
            rows.code.line("n += 1")


def _memberships(rows: Rows, block: Any) -> None:
    fields = ENTITIES["membership"].fields
    rows.code.line("n = 0")
    for member in block.memberships or []:
        with rows.each(member) as scope:
            organization = rows.reference(scope, member.organization)
            with rows.code.under(f"if {organization} is not None:"):
                names = ("role", "since", "until")
                said = ((name, getattr(member, name)) for name in names)
                found = ["None" if s is None else rows.values.put(scope, s, n, fields[n]) for n, s in said]
                rows.code.line(f"add_membership((no, n, own, {organization}, {', '.join(found)}))")
                rows.code.line("n += 1")


def _attributes(rows: Rows, block: Any) -> str:
    if not block.attributes:
        return "None"
    pairs = [
        f"({rows.code.bind(name)}, {rows.values.put(rows.record, said, name, RAW)})"
        for name, said in block.attributes.items()
    ]
    return f"{rows.code.function(json_text)}(({', '.join(pairs)},))"


def add_contacts(
    found: Contacts, kind: str, convert: Callable[..., str | None], raw: Any, split: str | None, *further: str
) -> None:
    """Adds one raw value, or each of a list or of a text with separators; what is none, or too long, is left out."""
    if split is not None and isinstance(raw, str):
        raw = raw.split(split)
    for said in raw if isinstance(raw, list) else (raw,):
        value = convert(said, *further) if said is not None else None
        if value is not None and len(value) <= KEY_LIMIT:
            found.setdefault((kind, value), plain(said))


def add_address(found: Contacts, *parts: str | None) -> None:
    """Adds a postal address, folded; less than a street with a town or postcode reaches nobody, nor does a book."""
    street, postcode, city, _, country = parts
    if street is None or not (postcode or city):
        return
    folded = [" ".join(part.casefold().split()) for part in (street, postcode, city) if part]
    if country is not None:
        folded.append((country_code(country) or country).casefold())
    value = ", ".join(folded)
    if len(value) <= KEY_LIMIT:
        found.setdefault(("ADDRESS", value), ", ".join(part for part in parts if part))


def shown_name(given: str | None, family: str | None, found: Contacts) -> str | None:
    """The name to show where the source has none: the parts of the name, else the first e-mail address."""
    parts = " ".join(part for part in (given, family) if part)
    return parts or next((value for kind, value in found if kind == "EMAIL"), None)


def json_text(pairs: tuple[tuple[str, Any], ...]) -> str | None:
    """The attributes that have a value as canonical JSON text; None where none has."""
    said = {name: value for name, value in pairs if value not in (None, "")}
    return _ENCODER.encode(said).decode().replace("\\u0000", "") if said else None
