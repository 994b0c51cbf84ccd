"""What a mapping makes of records: paths, lists, conditions, defaults, money, and what happens when a value is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.compile import Compiled, Mapped, compile_stream, row_columns
from mappings.loader import Source
from mappings.model import ENTITIES
from mappings.rulebook import Rulebook

Map = Callable[..., Mapped]
PEOPLE = """
people:
  get: /people
  key: id
  profile: {kind: PERSON}
"""
BILL = """
belongs_to: {stream: people, key: person}
money_entry:
  kind: REVENUE
  at: {path: at, convert: epoch_s}
  amount: {path: total, minor: currency}
  currency: currency
reconcile: {amount: {path: total, minor: currency}, currency: currency}
"""


def rows(mapped: Mapped, entity: str) -> list[dict[str, Any]]:
    assert mapped.problems == []
    return [dict(zip(row_columns(entity), row, strict=True)) for row in mapped.rows[entity]]


def values(mapped: Mapped, entity: str, field: str) -> list[Any]:
    return [row[field] for row in rows(mapped, entity)]


def test_the_columns_of_a_row_are_its_place_and_the_fields_of_its_entity() -> None:
    assert row_columns("identifier") == ("landing_no", "item", "profile", "system", "value")
    assert all(row_columns(name)[2] == "profile" for name in ENTITIES)


FOUND = [
    ("name", {"name": "Ada"}, "Ada"),
    ("a.b.c", {"a": {"b": {"c": "x"}}}, "x"),
    ("a.b.c", {"a": {"b": "text"}}, None),
    ("a.1.b", {"a": [{"b": "x"}, {"b": "y"}]}, "y"),
    ("a.-1", {"a": ["x", "y"]}, "y"),
    ("a.7", {"a": ["x"]}, None),
    ("a.0", {"a": {"0": "zero"}}, "zero"),
    ("{const: Fixed}", {}, "Fixed"),
    ("{first: [a, b]}", {"a": "  ", "b": "x"}, "x"),
    ("{first: [a, {path: b, convert: upper}]}", {"b": "x"}, "X"),
    ("{join: [a, b, c]}", {"a": "x", "c": "z"}, "x z"),
    ('{join: [a, b], with: "-"}', {"a": 1, "b": 2}, "1-2"),
    ("{path: a, default: none}", {}, "none"),
    ("{path: a, table: {x: y, '1': one}}", {"a": 1}, "one"),
    ("{path: a, table: {x: y}, default: other}", {"a": "z"}, "other"),
    ("{path: a, table: {x: y}}", {}, None),
    ("{first: [a, b], table: {x: y}}", {"b": "x"}, "y"),
    ("{path: a, prefix: crm-}", {"a": "crm-101"}, "101"),
    ("{path: a, prefix: crm-}", {"a": "ada@x.example"}, None),
    ("{path: a, when: {b: 1}}", {"a": "x", "b": "1"}, "x"),
    ("{path: a, when: {b: 1}}", {"a": "x", "b": 2}, None),
    ("{first: [a, b], when: {c: true}}", {"b": "x", "c": True}, "x"),
    ("a", {"a": None}, None),
    ("a", {"a": 12}, "12"),
]


@pytest.mark.parametrize(("said", "record", "expected"), FOUND, ids=[f"{i}-{case[0]}" for i, case in enumerate(FOUND)])
def test_a_value_is_found_and_converted(mapped: Map, said: str, record: dict[str, Any], expected: Any) -> None:
    made = mapped(f"profile: {{kind: PERSON, given_name: {said}}}", [{"id": 1, **record}])
    assert values(made, "profile", "given_name") == [expected]


HOLDS = [
    ("a: x", {"a": "x"}, True),
    ("a: x", {"a": "y"}, False),
    ("a: x", {"a": ["x"]}, False),
    ("a: [x, y]", {"a": "y"}, True),
    ("a: 1", {"a": "1"}, True),
    ("a: '1'", {"a": 1}, True),
    ("a: true", {"a": "true"}, True),
    ("a: null", {}, True),
    ("a: null", {"a": ""}, True),
    ("a: null", {"a": "x"}, False),
    ("a: {not: x}", {"a": "y"}, True),
    ("a: {not: x}", {}, True),
    ("a: {not: [x, null]}", {}, False),
    ("a: {exists: true}", {"a": 0}, True),
    ("a: {exists: true}", {"a": " "}, False),
    ("a: {exists: false}", {}, True),
    ("a: {at_least: 3}", {"a": "3.5"}, True),
    ("a: {at_least: 3, at_most: 4}", {"a": 5}, False),
    ("a: {at_least: 3}", {"a": "many"}, False),
    ("a: {contains: x}", {"a": ["x", "y"]}, True),
    ("a: {contains: x}", {"a": "a x b"}, True),
    ("a: {contains: x}", {"a": ["xx"]}, False),
    ("a: {same_as: b}", {"a": 1, "b": "1"}, True),
    ("a: {same_as: b}", {}, False),
    ("a: {other_than: b}", {"a": 1, "b": 2}, True),
    ("a: {other_than: b}", {"a": 1, "b": 1}, False),
    ("a.*.b: {contains: x}", {"a": [{"b": "y"}, {"b": "xy"}]}, True),
    ("a.*.b: z", {"a": [{"b": "y"}, {}]}, False),
    ("a.*.b: {exists: false}", {"a": []}, True),
    ("a: x, b: y", {"a": "x"}, False),
]


@pytest.mark.parametrize(("when", "record", "expected"), HOLDS, ids=[f"{i}-{case[0]}" for i, case in enumerate(HOLDS)])
def test_only_records_for_which_when_holds_are_profiles(mapped: Map, when: str, record: Any, expected: bool) -> None:
    made = mapped(f"profile: {{kind: PERSON, when: {{{when}}}}}", [{"id": 1, **record}])
    assert bool(rows(made, "profile")) is expected


def test_each_makes_a_row_of_each_item_and_parent_reaches_out_of_it(mapped: Map) -> None:
    made = mapped(
        """
        belongs_to: {stream: people, key: person}
        interaction:
          each: notes
          when: {by: {same_as: parent.person}, parent.open: true}
          type: note.written
          at: {path: at, convert: epoch_s}
          channel: EMAIL
          lane: CUSTOMER
          summary: {join: [parent.title, text], with: ": "}
        """,
        [
            {"id": "t1", "person": 7, "open": True, "title": "Help", "notes": [
                {"by": 7, "at": 1, "text": "one"}, {"by": 8, "at": 2}, {"by": "7", "at": 3}]},
            {"id": "t2", "person": 7, "open": True, "notes": None},
            {"id": "t3", "person": 7, "notes": [{"by": 7, "at": 1}]},
        ],
        PEOPLE,
    )  # fmt: skip
    found = rows(made, "interaction")
    assert [(row["landing_no"], row["item"], row["summary"]) for row in found] == [
        (1, 0, "Help: one"),
        (1, 1, "Help"),
    ]
    assert {row["profile"] for row in found} == {("people", "7")}
    assert {row["object_key"] for row in found} == {"t1"}


def test_items_are_counted_over_all_blocks_of_a_record(mapped: Map) -> None:
    made = mapped(
        """
        profile: {kind: PERSON}
        interaction:
          - {type: a.b, at: {path: at, convert: epoch_s}, channel: WEB, lane: BRAND, when: {first: true}}
          - {type: a.c, at: {path: at, convert: epoch_s}, channel: WEB, lane: BRAND}
          - {type: a.d, at: {path: ., convert: epoch_s}, channel: WEB, lane: BRAND, each: more}
        """,
        [{"id": 1, "at": 1, "first": True, "more": [5, 6]}, {"id": 2, "at": 1}],
    )
    found = [(row["landing_no"], row["item"], row["type"]) for row in rows(made, "interaction")]
    assert found == [(1, 0, "a.b"), (1, 1, "a.c"), (1, 2, "a.d"), (1, 3, "a.d"), (2, 0, "a.c")]


def test_a_profile_gives_its_contact_points_identifiers_and_memberships(mapped: Map) -> None:
    made = mapped(
        """
        profile:
          kind: PERSON
          given_name: given
          family_name: family
          country: country
          emails: [mail, {path: others, split: ";"}, {path: list.*.address}]
          phones: [phone, {path: second, region: second_country}]
          devices: [cookie]
          address: {street: street, city: city, country: country}
          identifiers: {crm: crm_id, shop: {path: login, prefix: shop-}}
          memberships:
            - {each: firms, organization: {stream: people, key: id}, role: role}
          attributes: {size: {path: size, convert: int}, note: note, gone: gone}
          created_at: {path: created, convert: epoch_s}
        """,
        [
            {
                "id": 5, "given": "Ada", "family": "King", "country": "United Kingdom", "mail": "Ada@X.example",
                "others": "ada@x.example; countess@x.example;n/a", "list": [{"address": "a.k@x.example"}, {}],
                "phone": "0113 496 0000", "second": "(212) 555-0143", "second_country": "US", "cookie": "c0ffee",
                "street": "1 Mill  Lane", "city": "Leeds", "crm_id": 101, "login": "shop-9",
                "firms": [{"id": 1, "role": "Owner"}, {"id": None}, {"id": "2"}], "size": "3", "note": [1],
                "created": 1,
            }
        ],
        PEOPLE,
    )  # fmt: skip
    profile = rows(made, "profile")[0]
    assert profile["profile"] == ("things", "5")
    assert (profile["display_name"], profile["country"]) == ("Ada King", "GB")
    assert profile["updated_at"] == profile["created_at"] == 1_000_000
    assert profile["attributes"] == '{"note":[1],"size":3}'
    assert [(row["type"], row["value"]) for row in rows(made, "contact_point")] == [
        ("EMAIL", "ada@x.example"),
        ("EMAIL", "countess@x.example"),
        ("EMAIL", "a.k@x.example"),
        ("PHONE", "+441134960000"),
        ("PHONE", "+12125550143"),
        ("DEVICE", "c0ffee"),
        ("ADDRESS", "1 mill lane, leeds, gb"),
    ]
    assert values(made, "contact_point", "item") == list(range(7))
    assert values(made, "contact_point", "raw")[0] == "Ada@X.example"
    assert [(row["system"], row["value"]) for row in rows(made, "identifier")] == [("crm", "101"), ("shop", "9")]
    assert [(row["item"], row["organization"], row["role"]) for row in rows(made, "membership")] == [
        (0, ("people", "1"), "Owner"),
        (1, ("people", "2"), None),
    ]


def test_junk_contact_points_are_left_out_and_make_no_dead_letter(mapped: Map) -> None:
    made = mapped(
        "profile: {kind: PERSON, emails: [mail], phones: [phone]}",
        [{"id": 1, "mail": "n/a", "phone": "unknown"}, {"id": 2, "mail": "", "phone": 0}],
    )
    assert rows(made, "contact_point") == []
    assert values(made, "profile", "display_name") == [None, None]


def test_a_profile_without_a_name_is_shown_by_its_email_and_an_organization_has_no_given_name(mapped: Map) -> None:
    made = mapped(
        """
        profile:
          kind: {path: type, table: {firm: ORGANIZATION}, default: PERSON}
          display_name: name
          given_name: {path: name, convert: given_name}
          emails: [mail]
        """,
        [{"id": 1, "mail": "Ada@x.example"}, {"id": 2, "type": "firm", "name": "Mill Lane Ltd"}],
    )
    found = [(row["kind"], row["display_name"], row["given_name"]) for row in rows(made, "profile")]
    assert found == [("PERSON", "ada@x.example", None), ("ORGANIZATION", "Mill Lane Ltd", None)]


def test_a_profile_may_have_another_key_than_the_record_and_owns_what_the_record_says(mapped: Map) -> None:
    made = mapped(
        """
        profile: {kind: PERSON, key: visitor}
        interaction: {type: visit.made, at: {path: at, convert: epoch_s}, channel: WEB, lane: CUSTOMER}
        """,
        [{"id": 1, "visitor": "v", "at": 1}],
    )
    assert values(made, "profile", "profile") == values(made, "interaction", "profile") == [("things", "v")]
    assert values(made, "interaction", "object_key") == ["1"]


def test_what_belongs_to_nobody_is_kept_without_a_profile(mapped: Map) -> None:
    made = mapped(BILL, [{"id": 1, "total": 5, "currency": "EUR", "at": 1}], PEOPLE)
    assert values(made, "money_entry", "profile") == [None]
    assert made.controls == [(1, 0, "EUR", 5_000)]


def test_the_first_reference_whose_key_is_found_owns_the_record(mapped: Map) -> None:
    lines = BILL.replace("{stream: people, key: person}", "[{stream: firms, key: firm}, {stream: people, key: person}]")
    bill = {"total": 5, "currency": "EUR", "at": 1}
    made = mapped(
        lines, [{"id": 1, "firm": 3, "person": 7, **bill}, {"id": 2, "person": 7, **bill}],
        PEOPLE + PEOPLE.replace("people", "firms"),
    )  # fmt: skip
    assert values(made, "money_entry", "profile") == [("firms", "3"), ("people", "7")]


def test_money_belongs_to_the_first_interaction_of_its_record_where_there_is_one(mapped: Map) -> None:
    lines = BILL + (
        "interaction: {when: {sent: true}, type: bill.issued, at: {path: at, convert: epoch_s}, "
        "channel: BILLING, lane: BRAND}\n"
    )
    bill = {"total": 5, "currency": "EUR", "at": 1}
    made = mapped(lines, [{"id": 1, "sent": True, **bill}, {"id": 2, **bill}], PEOPLE)
    assert values(made, "money_entry", "interaction_item") == [0, None]
    assert values(made, "money_entry", "basis") == ["ACTUAL", "ACTUAL"]


def test_compound_keys_are_joined(load: Callable[[str], Source], rulebook: Rulebook) -> None:
    source = load(
        """
        system: thing
        kind: crm
        about: A thing.
        http: {base_url: "https://thing.example"}
        streams:
          things: {get: /, key: [site, id], profile: {kind: PERSON}}
        """
    )
    records = [(1, {"site": 3, "id": "x"}), (2, {"site": "a/b", "id": "x"})]
    made = compile_stream(source, "things", rulebook).map(records)
    assert values(made, "profile", "profile") == [("things", "3/x"), ("things", r"a\/b/x")]


FAILING = [
    ("no date", {"at": "soon"}, "$.at", "not a time"),
    ("letters", {"total": "12 euros"}, "$.total", "not an amount"),
    ("no currency", {"currency": "EURO"}, "$.total", "no ISO 4217 currency"),
    ("missing currency", {"currency": None}, "$.total", "without a currency"),
    ("missing", {"at": None}, "$.at", "a value is needed"),
    ("an object", {"person": {"id": 1}}, "$.person", "an object where a text is expected"),
    ("no key", {"id": None}, "$.id", "a value is needed"),
]


@pytest.mark.parametrize(("change", "path", "reason"), [c[1:] for c in FAILING], ids=[c[0] for c in FAILING])
def test_a_value_that_is_none_is_a_problem_with_its_path_and_no_rows(
    mapped: Map, change: dict[str, Any], path: str, reason: str
) -> None:
    bill = {"id": "b", "person": 7, "total": 5, "currency": "EUR", "at": 1}
    made = mapped(BILL, [bill, {**bill, **change}, bill], PEOPLE)
    assert [(no, at) for no, at, _ in made.problems] == [(2, path)]
    assert reason in made.problems[0][2]
    assert [row[0] for row in made.rows["money_entry"]] == [1, 3]


def test_a_problem_in_a_list_names_the_item_and_takes_all_rows_of_the_record(mapped: Map) -> None:
    lines = """
        profile: {kind: PERSON, emails: [mail]}
        interaction:
          {each: a.notes, type: note.written, at: {path: time.at, convert: epoch_s}, channel: EMAIL, lane: CUSTOMER}
        """
    notes = [{"time": {"at": 1}}, {"time": {"at": "x"}}]
    made = mapped(lines, [{"id": 1, "mail": "a@x.example", "a": {"notes": notes}}, {"id": 2, "a": {"notes": "none"}}])
    assert made.problems[0][:2] == (1, "$.a.notes[1].time.at")
    assert made.problems[1] == (2, "$.a.notes", "a text where a list is expected")
    assert all(found == [] for found in made.rows.values())


def test_a_word_that_the_table_lacks_is_a_problem_that_does_not_repeat_it(mapped: Map) -> None:
    made = mapped("profile: {kind: {path: type, table: {p: PERSON}}}", [{"id": 1, "type": "Ada King"}])
    assert made.problems == [(1, "$.type", "a word that the table lacks")]


@pytest.mark.parametrize("record", [None, 5, "text", [], [{}]])
def test_a_record_that_is_no_object_is_a_problem(mapped: Map, record: Any) -> None:
    assert mapped("profile: {kind: PERSON}", [record]).problems == [(1, "$", "the record is not an object")]


def test_the_control_is_read_from_the_record_also_where_its_mapping_fails(mapped: Map) -> None:
    made = mapped(BILL, [{"id": 1, "total": "19", "currency": "eur", "at": "soon"}], PEOPLE)
    assert made.controls == [(1, 0, "EUR", 19_000)]
    assert len(made.problems) == 1


def test_a_record_whose_control_cannot_be_read_yields_no_rows(mapped: Map) -> None:
    lines = BILL.replace("reconcile: {amount: {path: total", "reconcile: {amount: {path: sum")
    made = mapped(lines, [{"id": 1, "total": 5, "sum": "five", "currency": "EUR", "at": 1}], PEOPLE)
    assert made.problems == [(1, "$", "control: letters in an amount")]
    assert made.rows["money_entry"] == made.controls == []


def test_controls_are_numbered_by_their_block_and_sum_over_lists(compiled: Callable[..., Compiled]) -> None:
    lines = BILL[: BILL.index("reconcile")] + (
        "reconcile:\n"
        "  - {amount: {path: total, minor: currency}, currency: currency, when: {status: paid}}\n"
        "  - {each: lines, amount: {path: tax, major: parent.currency, times: count}, currency: parent.currency,\n"
        "     kinds: [TAX], when: {tax: {exists: true}}}\n"
    )
    made = compiled(lines, PEOPLE)
    taxes = [{"tax": "1.5", "count": 2}, {"tax": None}, {"tax": 0.25}]
    record = {"id": 1, "total": 5, "currency": "EUR", "at": 1, "status": "paid", "lines": taxes}
    assert made.map([(9, record)]).controls == [(9, 0, "EUR", 5_000), (9, 1, "EUR", 325_000)]
    assert made.control_kinds == (("REVENUE",), ("TAX",))


def test_times_without_a_zone_and_days_are_read_in_the_zone_of_the_mapping(mapped: Map) -> None:
    made = mapped(
        """
        profile:
          kind: PERSON
          created_at: {path: a, zone: Europe/Berlin}
          updated_at: {path: b, convert: eu_date, zone: Europe/Berlin}
          birth_date: {path: b, convert: eu_date}
        """,
        [{"id": 1, "a": "2026-05-01T02:00:00", "b": "01.05.2026"}],
    )
    row = rows(made, "profile")[0]
    assert row["created_at"] == 1_777_593_600_000_000
    assert row["updated_at"] == 1_777_586_400_000_000
    assert row["birth_date"] == "2026-05-01"


@pytest.mark.parametrize(
    ("convert", "said", "expected"),
    [
        pytest.param("eu_date", "01.05.2026", "2026-04-30T22:00:00Z", id="day"),
        pytest.param("eu_date", "01.05.2026 14:30", "2026-05-01T12:30:00Z", id="day-and-time"),
        pytest.param("eu_date", "1.5.2026, 9:05:07 Uhr", "2026-05-01T07:05:07Z", id="comma-seconds-uhr"),
        pytest.param("us_date", "5/1/2026 02:30 PM", "2026-05-01T12:30:00Z", id="afternoon"),
        pytest.param("us_date", "5/1/2026 12:15 am", "2026-04-30T22:15:00Z", id="after-midnight"),
        pytest.param("eu_date", "01.05.2026 25:00", None, id="no-hour"),
        pytest.param("eu_date", "01.05.2026 noon", None, id="no-time"),
        pytest.param("us_date", "5/1/2026 13:30 PM", None, id="no-hour-before-noon"),
    ],
)
def test_a_time_of_day_behind_a_day_is_kept_where_the_field_is_a_time(
    mapped: Map, convert: str, said: str, expected: str | None
) -> None:
    block = f"profile: {{kind: PERSON, updated_at: {{path: at, convert: {convert}, zone: Europe/Berlin}}}}"
    made = mapped(block, [{"id": 1, "at": said}])
    if expected is None:
        assert [path for _, path, _ in made.problems] == ["$.at"]
    else:
        moment = datetime.fromtimestamp(rows(made, "profile")[0]["updated_at"] / 1_000_000, UTC)
        assert moment.isoformat() == expected.replace("Z", "+00:00")


def test_an_intent_is_read_in_the_language_that_the_block_names(mapped: Map) -> None:
    made = mapped(
        """
        profile: {kind: PERSON}
        interaction:
          type: note.written
          at: {path: at, convert: epoch_s}
          channel: EMAIL
          lane: CUSTOMER
          language: tongue
          intent: {path: text, convert: intent}
        """,
        [
            {"id": 1, "at": 1, "tongue": "de-DE", "text": "Ich möchte kündigen"},
            {"id": 2, "at": 1, "tongue": "fr", "text": "cancel"},
            {"id": 3, "at": 1, "text": "please cancel"},
        ],
    )
    assert values(made, "interaction", "intent") == ["CANCEL", None, "CANCEL"]


def test_content_ignores_key_order_and_volatile_paths_and_nothing_else(compiled: Callable[..., Compiled]) -> None:
    made = compiled("volatile: [seen, a.url, lines.*.url]\nprofile: {kind: PERSON}")
    record = {"id": 1, "seen": 1, "a": {"url": 1, "b": 2}, "lines": [{"url": 1, "n": 1}]}
    same = {"lines": [{"n": 1, "url": 2}], "a": {"b": 2}, "id": 1}
    assert made.content(record) == made.content(same) == b'{"a":{"b":2},"id":1,"lines":[{"n":1}]}'
    assert made.content({**same, "a": {"b": 3}}) != made.content(same)
    assert record["a"] == {"url": 1, "b": 2}


def test_the_version_changes_with_what_a_mapping_means_and_not_with_how_it_fetches(
    load: Callable[[str], Source], rulebook: Rulebook
) -> None:
    text = """
        system: thing
        kind: crm
        about: A thing.
        http: {base_url: "https://thing.example"}
        streams:
          things: {get: /things, key: id, profile: {kind: PERSON, display_name: name}}
        """
    version = compile_stream(load(text), "things", rulebook).version
    assert compile_stream(load(text.replace("/things", "/v2/things")), "things", rulebook).version == version
    assert compile_stream(load(text.replace(": name", ": title")), "things", rulebook).version != version
    swiss = rulebook.model_copy(update={"company": rulebook.company.model_copy(update={"region": "CH"})})
    assert compile_stream(load(text), "things", swiss).version != version
    intents = {**rulebook.risk.intents, "PRAISE": {"en": ["thank you"]}}
    kinder = rulebook.model_copy(update={"risk": rulebook.risk.model_copy(update={"intents": intents})})
    assert compile_stream(load(text), "things", kinder).version != version


@pytest.mark.parametrize("name", ['a"b', "a'b", "a\\nb", "{}", "__import__('os')", "x) or print(1", "Ünïcode", "{0.x}"])
def test_names_in_a_mapping_file_never_become_code(mapped: Map, name: str) -> None:
    quoted = json.dumps(name)
    said = f"attributes: {{{quoted}: {quoted}}}, given_name: {quoted}, birth_date: {quoted}"
    path = name.split(".")
    record = {path[0]: "2026-05-01"} if len(path) == 1 else {path[0]: {path[1]: "2026-05-01"}}
    made = mapped(f"profile: {{kind: PERSON, {said}}}", [{"id": 1, **record}])
    assert values(made, "profile", "birth_date") == ["2026-05-01"]
    failing = mapped(f"profile: {{kind: PERSON, {said}}}", [{"id": 1}, {"id": 2, path[0]: 5}])
    assert all(at.startswith("$.") for _, at, _ in failing.problems)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdefg"), inner, max_size=4),
    max_leaves=12,
)
ANYTHING = """
belongs_to: {stream: people, key: a}
profile:
  kind: {path: b, table: {x: PERSON}, default: PERSON}
  given_name: a.b
  birth_date: c
  emails: [a, {path: b, split: ","}, c.*.a]
  phones: [d, {path: e, region: f}]
  address: {street: a, city: b, country: c}
  memberships: [{each: a, organization: {stream: people, key: b}, when: {c: {at_least: 1}}}]
  attributes: {x: a, y: b.c}
interaction:
  - {each: a.b, type: x.y, at: {first: [a, b], convert: epoch_s}, channel: WEB, lane: BRAND,
     intent: {path: c, convert: intent}}
  - {when: {a: {exists: true}, b.*.c: {contains: x}}, type: x.z, at: b, channel: WEB, lane: BRAND,
     sentiment: c, solicited: d}
money_entry:
  {each: c, kind: REVENUE, at: {path: a, convert: epoch_ms}, amount: {path: b, major: c, times: d}, currency: c}
reconcile:
  {each: c, amount: {first: [b, a], major: c, times: d}, currency: c, when: {a: {other_than: b}, c: {contains: E}}}
"""


@pytest.fixture
def anything(compiled: Callable[..., Compiled]) -> Compiled:
    return compiled(ANYTHING.replace("profile:\n", "profile:\n  key: g\n"), PEOPLE)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=JSON | st.dictionaries(st.sampled_from(["id", *"abcdefg"]), JSON))
def test_no_record_raises_and_every_problem_is_one_that_we_know(anything: Compiled, record: Any) -> None:
    made = anything.map([(1, record)])
    assert all("cannot be read" not in reason and len(reason) <= 200 for _, _, reason in made.problems), made.problems
    assert len(made.problems) <= 1
    if made.problems:
        assert not any(made.rows.values())
    for entity, found in made.rows.items():
        assert [row[1] for row in found] == list(range(len(found)))
        assert all(len(row) == len(row_columns(entity)) for row in found)
    anything.content(record)
