"""Files from strangers: whatever a text says, it loads and compiles or is refused in our words; no record raises."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.checking.document import MappingError
from mappings.compile import Compiled, compile_stream
from mappings.converters import CONVERTERS
from mappings.loader import Settings, Source, load_system, schema_json, shipped
from mappings.rulebook import Rulebook

FILES = sorted(shipped().glob("sources/**/*.yml"))
SCHEMA = json.loads(schema_json())
PLAIN = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def words(schema: Any) -> set[str]:
    """Every name and every fixed word that a mapping file may say."""
    if isinstance(schema, list):
        return set().union(*map(words, schema))
    if not isinstance(schema, dict):
        return set()
    named = set(schema.get("properties", {})) | {word for word in schema.get("enum", []) if isinstance(word, str)}
    return named.union(*(words(inner) for inner in schema.values()))


WORDS = sorted(words(SCHEMA) | set(CONVERTERS))
ODD = [
    "", ".", "..", "a..b", "*", "a.*.b", "-1", "a.-1", "parent.", "parent.parent.parent.a", "a\\.b", "\\", "\\.",
    "${", "${}", "${token}", "${x}", "{since}", "{last.id}", "{parent.a.b}", "{", "}", "{}", "%", "%d %d", "%Y", "%Z",
    "%d.%m.%Y", "a[?b=='c'] | [0]", "a[", "&a", "@", "length(@)", "`{`", "null", "true", "1e999", "0", "-1/s", "7d",
    "80/s", "99999999999999999999", "header.", "header.X", "body.a.0", "https://x.example", "file:///etc/passwd",
    "\u2028", "\ud7ff", "Europe/Berlin", "EUR", "EURO", "__class__", "import os", "e1", "r", "g", "no", "x" * 600,
]  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.sampled_from(ODD), st.sampled_from(WORDS),
    st.text(max_size=8),
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS) | st.sampled_from(ODD), inner, max_size=4)
    ),
    max_leaves=12,
)
RECORDS: list[Any] = [
    None, 5, [], {}, {"id": None}, {"id": 1}, {"id": "a", "created": "x", "lines": [1, None, {"a": []}]},
    {name: {} for name in ("id", "data", "properties", "customer")}, {name: [[]] for name in ("id", "data", "lines")},
]  # fmt: skip


def told(path: Path, text: str, rulebook: Rulebook) -> bool:
    """Whether the text is a mapping, or is refused without a line for each problem; there is no third end."""
    path.write_text(text, "utf-8", errors="replace")
    try:
        system = load_system(path)
    except MappingError as error:
        return not (error.problems and all(p.line > 0 and "\n" not in str(p) for p in error.problems))
    source = Source("thing", system, Settings(dict.fromkeys(system.settings, "EUR")))
    for name in system.streams:
        compiled = compile_stream(source, name, rulebook)
        for record in RECORDS:
            compiled.map([(1, record)])
            compiled.content(record)
    return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "thing.yml"


@PLAIN
@given(
    text=st.text()
    | st.text(alphabet=" \n-:{}[]'\"*&!|>#%@`,?\tabké\x00\ufeff")
    | st.binary().map(lambda b: b.decode("latin-1"))
)
def test_no_text_ends_in_a_traceback(path: Path, rulebook: Rulebook, text: str) -> None:
    assert told(path, text, rulebook) is False


@PLAIN
@given(data=JSON)
def test_no_data_ends_in_a_traceback(path: Path, rulebook: Rulebook, data: Any) -> None:
    assert told(path, yaml.safe_dump(data, allow_unicode=True), rulebook) is False


VALUE = st.fixed_dictionaries(
    {},
    optional={
        "path": st.sampled_from(ODD), "jmespath": st.sampled_from(ODD), "const": SCALARS, "default": SCALARS,
        "first": st.lists(st.sampled_from(ODD), max_size=2), "join": st.lists(st.sampled_from(ODD), max_size=2),
        "convert": st.sampled_from(sorted(CONVERTERS)), "format": st.sampled_from(ODD), "prefix": st.sampled_from(ODD),
        "decimal": st.sampled_from([",", ".", ";"]), "minor": st.sampled_from(ODD), "major": st.sampled_from(ODD),
        "times": st.sampled_from([*ODD, 60, 0, -1]), "minus": st.sampled_from([*ODD, ["a", "b.*.c"]]),
        "region": st.sampled_from(ODD), "zone": st.sampled_from(ODD), "split": st.sampled_from(ODD),
        "table": st.dictionaries(st.sampled_from(ODD), SCALARS, max_size=2),
        "when": st.dictionaries(st.sampled_from(ODD), SCALARS, max_size=2),
    },
)  # fmt: skip


@PLAIN
@given(
    said=st.lists(VALUE, min_size=1, max_size=3),
    field=st.sampled_from(["given_name", "country", "created_at", "birth_date", "emails", "attributes", "key"]),
)
def test_no_value_ends_in_a_traceback(path: Path, rulebook: Rulebook, said: list[Any], field: str) -> None:
    values: Any = said if field == "emails" else {"a": said[0]} if field == "attributes" else said[0]
    file = {
        "system": "thing", "kind": "crm", "about": "A thing.", "settings": {"token": {}},
        "http": {"base_url": "https://thing.example"},
        "streams": {"people": {"get": "/p", "key": "id", "profile": {"kind": "PERSON", field: values}}},
    }  # fmt: skip
    told(path, yaml.safe_dump(file, allow_unicode=True), rulebook)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_broken_shipped_file_ends_in_a_traceback(path: Path, rulebook: Rulebook, file: Path) -> None:
    dice = random.Random(file.stem)  # the same breaks in every run
    whole = yaml.safe_load(file.read_text("utf-8"))
    whole["system"] = "thing"
    outcomes = {told(path, yaml.safe_dump(broken(whole, dice), allow_unicode=True), rulebook) for _ in range(8)}
    assert False in outcomes


def broken(data: Any, dice: random.Random) -> Any:
    """The data with one to three places that say something else."""
    copy = json.loads(json.dumps(data, default=str))
    for _ in range(dice.randint(1, 3)):
        place, name = _somewhere(copy, dice)
        kind = dice.randrange(5)
        if kind == 0:
            del place[name]
        elif kind == 1:
            place[name] = dice.choice([dice.choice(ODD), dice.choice(WORDS), None, [], {}, 0, -1, 2**70, True, 0.5])
        elif kind == 2:
            place[name] = [place[name]]
        elif kind == 3:
            place[name] = {dice.choice(WORDS): place[name]}
        elif isinstance(place, dict):
            place[dice.choice(WORDS + ODD)] = place.pop(name)
    return copy


def _somewhere(data: Any, dice: random.Random) -> tuple[Any, Any]:
    place, name = data, dice.choice(list(data))
    while isinstance(place[name], dict | list) and place[name] and dice.random() < 0.85:
        place = place[name]
        name = dice.choice(list(place)) if isinstance(place, dict) else dice.randrange(len(place))
    return place, name


SAID = """\
system: thing
kind: crm
about: A thing.
http: {base_url: "https://thing.example"}
streams:
  people:
    get: /people
    key: [id, a.b]
    volatile: [a.c, d.*.e]
    nothing: [false]
    deleted: {when: {state: gone}}
    deletes: bills
    profile:
      kind: {path: a.b, table: {x: ORGANIZATION}, default: PERSON}
      given_name: {jmespath: "d[?e=='x'] | [0].f"}
      birth_date: {path: id, format: "%Y%m%d"}
      created_at: {first: [{path: a.t, format: "%d.%m.%Y"}, {path: id, convert: epoch_s}]}
      emails: [{path: d.*.e, split: ","}, a]
      phones: [{path: a.b, region: id}]
      handles: [{jmespath: "d[].e"}]
      address: {street: a.b, city: id}
      memberships: [{each: [d, e], organization: {stream: people, key: parent.f}, since: parent.parent.a}]
      attributes: {all: ., some: {jmespath: "sort_by(d, &e)"}}
  bills:
    get: /bills
    key: id
    belongs_to: {stream: people, key: {join: [id, a.b], with: /}}
    reconcile: {each: [d, e], amount: {first: [f, parent.f], minus: parent.e.*.g, minor: g, decimal: ","}, currency: g}
    money_entry:
      each: [d, e]
      when: {parent.f: {other_than: parent.parent.id}}
      kind: REVENUE
      at: parent.parent.a
      amount: {first: [f, parent.f], minus: [parent.e.*.g, h], times: i, major: {path: g, default: EUR}, decimal: ","}
      currency: g
    interaction:
      type: x.y
      at: a.t
      channel: EMAIL
      lane: BRAND
      text: {path: a, convert: text}
      duration_s: {path: id, convert: clock}
      sentiment: {path: a.b, decimal: "."}
"""
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6),
    st.sampled_from(["x", "1.234,5", "EUR", "31.12.2025", "gone", "2026-01-01", "a@b.example", "9" * 400, 10**300]),
)  # fmt: skip
ANY_RECORD = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*"abcdefghit", "id", "state"]), inner, max_size=6)
    ),
    max_leaves=25,
)


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory, rulebook: Rulebook) -> list[Compiled]:
    """The streams of a mapping that says a little of everything."""
    path = tmp_path_factory.mktemp("said") / "thing.yml"
    path.write_text(SAID, "utf-8")
    source = Source("thing", load_system(path), Settings({}))
    return [compile_stream(source, name, rulebook) for name in source.system.streams]


@PLAIN
@given(records=st.lists(ANY_RECORD, max_size=3))
def test_no_record_makes_a_mapping_raise(streams: list[Compiled], records: list[Any]) -> None:
    for compiled in streams:
        made = compiled.map(list(enumerate(records)))
        bad = {problem[0] for problem in made.problems}
        assert not any(row[0] in bad for rows in made.rows.values() for row in rows)
        assert all(reason and not reason.startswith("cannot be read (NameError") for _, _, reason in made.problems)
