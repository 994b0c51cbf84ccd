"""Values that a plain path does not reach or a plain converter does not read, and records that say they are gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mappings.compile import Compiled, Mapped, compile_stream, row_columns
from mappings.converters import CONVERTERS
from mappings.converting.instants import pattern_fault
from mappings.converting.quantities import written
from mappings.loader import Settings, Source
from mappings.rulebook import Rulebook
from mappings.values import UnfitError

Map = Callable[..., Mapped]
PEOPLE = """
people:
  get: /people
  key: id
  profile: {kind: PERSON}
"""


def rows(mapped: Mapped, entity: str) -> list[dict[str, Any]]:
    assert mapped.problems == []
    return [dict(zip(row_columns(entity), row, strict=True)) for row in mapped.rows[entity]]


def values(mapped: Mapped, entity: str, field: str) -> list[Any]:
    return [row[field] for row in rows(mapped, entity)]


# found by an expression, or under a name with a dot in it -------------------------------------------------------------
FOUND = [
    pytest.param("{jmespath: \"ids[?type=='crm'] | [0].id\"}", {"ids": [{"type": "x"}, {"type": "crm", "id": 7}]}, "7",
                 id="first-of-a-filter"),
    pytest.param("{jmespath: \"ids[?type=='crm'] | [0].id\"}", {"ids": []}, None, id="nothing-in-the-filter"),
    pytest.param("{jmespath: \"ids[?type=='crm'] | [0].id\"}", {"ids": "none"}, None, id="no-list"),
    pytest.param("{jmespath: 'length(tags)'}", {"tags": ["a", "b"]}, "2", id="a-function"),
    pytest.param("{jmespath: 'length(tags)'}", {}, None, id="a-function-of-nothing"),
    pytest.param("{jmespath: 'length(tags)', default: '0'}", {}, "0", id="default"),
    pytest.param("{jmespath: name, convert: upper}", {"name": "ada"}, "ADA", id="converted"),
    pytest.param("{first: [{jmespath: 'a[0]'}, b]}", {"b": "x"}, "x", id="among-the-first"),
    pytest.param("{join: [{jmespath: 'a[0]'}, b]}", {"a": ["y"], "b": "x"}, "y x", id="joined"),
    pytest.param("{jmespath: name, when: {ok: true}}", {"name": "Ada", "ok": False}, None, id="only-when"),
    pytest.param("{jmespath: state, table: {a: Alpha}}", {"state": "a"}, "Alpha", id="table"),
    pytest.param("creator\\.name", {"creator.name": "Ada", "creator": {"name": "no"}}, "Ada", id="a-dot-in-a-name"),
    pytest.param("'a\\.b.c\\.d'", {"a.b": {"c.d": "x"}}, "x", id="dots-in-names-on-a-way"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "record", "expected"), FOUND)
def test_what_a_plain_path_cannot_say_is_found(mapped: Map, said: str, record: Any, expected: Any) -> None:
    made = mapped(f"profile: {{kind: PERSON, given_name: {said}}}", [{"id": 1, **record}])
    assert values(made, "profile", "given_name") == [expected]


def test_an_expression_that_a_record_does_not_fit_is_a_dead_letter(mapped: Map) -> None:
    made = mapped("profile: {kind: PERSON, given_name: {jmespath: 'sum(a)'}}", [{"id": 1, "a": ["x"]}, {"id": 2}])
    assert [problem[:2] for problem in made.problems] == [(1, "$")]
    assert "`sum` of an expression cannot take" in made.problems[0][2]
    assert [row[0] for row in made.rows["profile"]] == [2]


def test_an_expression_gives_many_addresses_and_ids(mapped: Map) -> None:
    made = mapped(
        """
        profile:
          kind: PERSON
          emails: [{jmespath: "contacts[?kind=='mail'].value"}]
          handles: [{jmespath: "contacts[?kind=='x'].value"}, acct]
          identifiers: {crm: {jmespath: "links[?to=='crm'] | [0].id"}}
        """,
        [{
            "id": 1, "acct": "@Ada@social.example", "links": [{"to": "crm", "id": 9}],
            "contacts": [{"kind": "mail", "value": "A@x.example"}, {"kind": "x", "value": "@Ada"},
                         {"kind": "mail", "value": "b@x.example"}],
        }],
    )  # fmt: skip
    assert [(row["type"], row["value"]) for row in rows(made, "contact_point")] == [
        ("EMAIL", "a@x.example"), ("EMAIL", "b@x.example"), ("SOCIAL", "ada"), ("SOCIAL", "ada@social.example"),
    ]  # fmt: skip
    assert values(made, "identifier", "value") == ["9"]


# times and days by a pattern ------------------------------------------------------------------------------------------
PATTERNS = [
    pytest.param("%d.%m.%Y %H:%M", "Europe/Berlin", "31.12.2025 14:30", 1_767_187_800, id="zone"),
    pytest.param("%d.%m.%Y %H:%M", "Europe/Berlin", "1.7.2025 14:30", 1_751_373_000, id="summer-time"),
    pytest.param("%Y%m%d%H%M%S", None, 20_251_231_143_000, 1_767_191_400, id="a-number"),
    pytest.param("%m/%d/%y %I:%M %p", None, "12/31/25 02:30 PM", 1_767_191_400, id="half-of-the-day"),
    pytest.param("%a, %d %b %Y %H:%M:%S %z", "Asia/Tokyo", "Wed, 31 Dec 2025 14:30:00 +0100", 1_767_187_800,
                 id="its-own-offset-wins"),
    pytest.param("%d %B %Y", None, "31 December 2025", 1_767_139_200, id="a-day"),
    pytest.param("%d.%m.%Y", None, "  ", None, id="blank"),
    pytest.param("%d.%m.%Y", None, None, None, id="nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "zone", "value", "seconds"), PATTERNS)
def test_a_time_is_read_by_a_pattern(mapped: Map, pattern: str, zone: str | None, value: Any, seconds: Any) -> None:
    said = f'{{path: t, format: "{pattern}"{f", zone: {zone}" if zone else ""}}}'
    made = mapped(f"profile: {{kind: PERSON, created_at: {said}}}", [{"id": 1, "t": value}])
    assert values(made, "profile", "created_at") == [None if seconds is None else seconds * 1_000_000]


def test_a_day_is_read_by_a_pattern_also_out_of_two_columns(mapped: Map) -> None:
    made = mapped(
        'profile: {kind: PERSON, birth_date: {path: b, format: "%d/%b/%y"},'
        ' created_at: {join: [d, t], format: "%Y-%m-%d %H.%M"}}',
        [{"id": 1, "b": "10/Dec/85", "d": "1970-01-02", "t": "00.01"}],
    )
    assert values(made, "profile", "birth_date") == ["1985-12-10"]
    assert values(made, "profile", "created_at") == [86_460_000_000]


def test_a_time_of_another_form_is_a_dead_letter_with_its_path(mapped: Map) -> None:
    made = mapped(
        'profile: {kind: PERSON, created_at: {path: a.t, format: "%d.%m.%Y"}}', [{"id": 1, "a": {"t": "soon"}}]
    )
    assert made.problems == [(1, "$.a.t", "a text that is not of the form %d.%m.%Y")]


PATTERN_FAULTS = [
    pytest.param("%d.%m.%Y %H:%M", None, id="good"),
    pytest.param("%G-W%V-%u", None, id="iso-week"),
    pytest.param("%Y-%j", None, id="day-of-the-year"),
    pytest.param("%d.%m.", "whole day", id="no-year"),
    pytest.param("%H:%M", "whole day", id="no-day"),
    pytest.param("%d.%m.%Y %I:%M", "%p", id="half-without-which"),
    pytest.param("%Y-%m-%d %Z", "offset", id="a-zones-name"),
    pytest.param("%d %d %Y", "no time", id="twice"),
    pytest.param("%Y-%m-%d %", "no time", id="loose-percent"),
    pytest.param("%Y-%m-%d %Q", "no time", id="unknown"),
    pytest.param("iso", "%Y", id="no-pattern"),
]


@pytest.mark.parametrize(("pattern", "wrong"), PATTERN_FAULTS)
def test_a_pattern_that_could_lose_the_day_or_hour_is_refused(pattern: str, wrong: str | None) -> None:
    found = pattern_fault(pattern)
    assert (found is None) if wrong is None else (found is not None and wrong in found)


# numbers as people write them -----------------------------------------------------------------------------------------
WRITTEN = [
    pytest.param(",", "1.234,56", "1234.56", id="points-between"),
    pytest.param(",", "1 234,5", "1234.5", id="blanks-between"),
    pytest.param(",", "12\u202f345\u202f678,5", "12345678.5", id="narrow-blanks-between"),
    pytest.param(",", "-1'234,5", "-1234.5", id="apostrophes-between"),
    pytest.param(",", "1234567,5", "1234567.5", id="nothing-between"),
    pytest.param(",", "1.234", "1234.0", id="no-fraction"),
    pytest.param(".", "1,234.56", "1234.56", id="commas-between"),
    pytest.param(",", 12.5, 12.5, id="a-number"),
    pytest.param(",", "", "", id="blank"),
    pytest.param(",", "1.23,4", None, id="a-group-of-two"),
    pytest.param(",", "1234.567,8", None, id="a-group-of-four"),
    pytest.param(",", "1.234 567,8", None, id="two-marks"),
    pytest.param(",", "1,234.56", None, id="the-other-way"),
    pytest.param(",", "1,2,3", None, id="two-fractions"),
    pytest.param(",", "12 EUR", None, id="letters"),
    pytest.param(",", "1" * 70, None, id="too-long"),
]


@pytest.mark.parametrize(("decimal", "value", "expected"), WRITTEN)
def test_a_number_is_read_as_people_write_it_or_refused(decimal: str, value: Any, expected: Any) -> None:
    if expected is not None:
        assert written(value, decimal) == expected
        return
    with pytest.raises(UnfitError, match="no number with"):
        written(value, decimal)


BOOKS = """
belongs_to: {stream: people, key: person}
money_entry:
  kind: REVENUE
  at: {path: at, convert: epoch_s}
  amount: &AMOUNT
  currency: currency
reconcile: {amount: &AMOUNT, currency: currency}
"""
AMOUNTS = [
    pytest.param("{path: t, major: currency, decimal: ','}", {"t": "1.234,56"}, 123_456_000, id="decimal-comma"),
    pytest.param("{path: t, major: currency, decimal: '.'}", {"t": "1,234.5"}, 123_450_000, id="decimal-point"),
    pytest.param("{path: t, minus: x, minor: currency}", {"t": 119, "x": 19}, 100_000, id="net-of-gross"),
    pytest.param("{path: t, minus: x, minor: currency}", {"t": 119}, 119_000, id="nothing-to-take-away"),
    pytest.param("{path: t, minus: [x, d.*.a], major: currency}",
                 {"t": "9.5", "x": 1, "d": [{"a": 2}, {}, {"a": "0.5"}]},
                 600_000, id="all-of-several"),
    pytest.param("{const: 0, minus: t, minor: currency}", {"t": 5}, -5_000, id="a-negative-one"),
    pytest.param("{path: t, times: n, minus: d, minor: currency}", {"t": 10, "n": 3, "d": 5}, 25_000, id="times-first"),
    pytest.param("{path: t, times: 12, minor: currency}", {"t": 10}, 120_000, id="times-a-constant"),
    pytest.param("{path: t, minus: x, major: currency, decimal: ','}", {"t": "1.000,5", "x": "0,5"}, 100_000_000,
                 id="both-written-so"),
    pytest.param("{first: [t, u], minus: x, minor: currency}", {"u": 7, "x": 2}, 5_000, id="of-the-first"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "record", "thousandths"), AMOUNTS)
def test_an_amount_and_its_control_are_read_alike(mapped: Map, said: str, record: Any, thousandths: int) -> None:
    made = mapped(
        BOOKS.replace("&AMOUNT", said), [{"id": 1, "at": 1, "person": 7, "currency": "EUR", **record}], PEOPLE
    )
    assert values(made, "money_entry", "amount") == [thousandths]
    assert made.controls == [(1, 0, "EUR", thousandths)]


def test_an_amount_that_is_written_wrongly_is_a_dead_letter(mapped: Map) -> None:
    record = {"id": 1, "at": 1, "person": 7, "currency": "EUR", "t": "1.23,4"}
    made = mapped(BOOKS.replace("&AMOUNT", "{path: t, major: currency, decimal: ','}"), [record], PEOPLE)
    assert made.problems == [(1, "$.t", "a text that is no number with `,` before its fraction")]


NUMBERS = [
    pytest.param("{path: n, convert: clock}", "01:30", 5_400, id="hours-and-minutes"),
    pytest.param("{path: n, convert: clock}", "100:00:05", 360_005, id="and-seconds"),
    pytest.param("{path: n, convert: clock}", "", None, id="no-clock"),
    pytest.param("{path: n, times: 60}", 15, 900, id="minutes-in-seconds"),
    pytest.param("{path: n, times: m}", 15, 30, id="times-a-path"),
    pytest.param("{path: n, decimal: ','}", "1.500", 1_500, id="a-whole-number-of-people"),
]


@pytest.mark.parametrize(("said", "value", "expected"), NUMBERS)
def test_a_length_is_read(mapped: Map, said: str, value: Any, expected: Any) -> None:
    lines = f"""
    belongs_to: {{stream: people, key: p}}
    interaction: {{type: call.made, at: at, channel: PHONE, lane: BRAND, duration_s: {said}}}
    """
    assert values(
        mapped(lines, [{"id": 1, "at": "2026-01-01", "n": value, "m": 2}], PEOPLE), "interaction", "duration_s"
    ) == [expected]


@pytest.mark.parametrize("value", ["1:5", "soon", "01:61", "-1:00", 90])
def test_what_is_no_clock_is_refused(value: Any) -> None:
    with pytest.raises(UnfitError, match="no length of hours and minutes"):
        CONVERTERS["clock"].call(value)


# lists within lists ---------------------------------------------------------------------------------------------------
NESTED = """
belongs_to: {stream: people, key: person}
money_entry:
  each: [orders, lines]
  when: {parent.state: paid, parent.parent.live: true}
  kind: REVENUE
  at: {path: parent.at, convert: epoch_s}
  amount: {path: price, minor: parent.parent.currency}
  currency: parent.parent.currency
reconcile:
  each: [orders, lines]
  when: {parent.state: paid, parent.parent.live: true}
  amount: {path: price, minor: currency}
  currency: parent.parent.currency
"""
SHOP = {
    "id": 1, "person": 7, "currency": "EUR", "live": True,
    "orders": [
        {"state": "paid", "at": 1, "lines": [{"price": 10}, {"price": 5}]},
        {"state": "open", "at": 2, "lines": [{"price": 99}]},
        {"state": "paid", "at": 3, "lines": []},
        {"state": "paid", "at": 4},
        {"state": "paid", "at": 5, "lines": [{"price": 2}]},
    ],
}  # fmt: skip


def test_lists_within_lists_give_a_row_of_each_inner_item(mapped: Map) -> None:
    made = mapped(NESTED, [SHOP, {**SHOP, "live": False}], PEOPLE)
    assert [(row["landing_no"], row["item"], row["at"] // 1_000_000, row["amount"], row["currency"])
            for row in rows(made, "money_entry")] == [
        (1, 0, 1, 10_000, "EUR"), (1, 1, 1, 5_000, "EUR"), (1, 2, 5, 2_000, "EUR")
    ]  # fmt: skip
    assert made.controls == [(1, 0, "EUR", 17_000)]


BROKEN = [
    pytest.param({"orders": [{"lines": []}, {"state": "paid", "at": 1, "lines": [{"price": 1}, {"price": "x"}]}]},
                 "$.orders[1].lines[1].price", id="both-numbers"),
    pytest.param({"orders": [{"lines": []}, {"lines": "none"}]}, "$.orders[1].lines", id="inner-no-list"),
    pytest.param({"orders": 5}, "$.orders", id="outer-no-list"),
    pytest.param({"orders": [{"state": "paid", "at": "x", "lines": [{"price": 1}]}]}, "$.orders[0].at",
                 id="the-item-above"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "path"), BROKEN)
def test_a_problem_within_lists_is_named_with_every_number(mapped: Map, record: Any, path: str) -> None:
    made = mapped(NESTED, [{**SHOP, **record}], PEOPLE)
    assert [problem[:2] for problem in made.problems] == [(1, path)]
    assert made.rows["money_entry"] == []


def test_memberships_may_stand_in_lists_within_lists(mapped: Map) -> None:
    made = mapped(
        """
        profile:
          kind: PERSON
          memberships: [{each: [groups, members], organization: {stream: firms, key: firm}, role: parent.role}]
        """,
        [{"id": 1, "groups": [{"role": "boss", "members": [{"firm": 5}, {"firm": None}]}, {"members": [{"firm": 6}]}]}],
        "firms: {get: /firms, key: id, profile: {kind: ORGANIZATION}}",
    )
    assert [(row["organization"], row["role"]) for row in rows(made, "membership")] == [
        (("firms", "5"), "boss"), (("firms", "6"), None)
    ]  # fmt: skip


# what counts as nothing -----------------------------------------------------------------------------------------------
NOTHING = [
    pytest.param("[false]", {"name": False}, None, id="false"),
    pytest.param("[false]", {"name": 0}, "0", id="zero-is-not-false"),
    pytest.param("['-', N/A]", {"name": " N/A "}, None, id="a-word"),
    pytest.param("['-']", {"name": "a-b"}, "a-b", id="a-word-within"),
    pytest.param("[]", {"name": "-"}, "-", id="not-said"),
]


@pytest.mark.parametrize(("nothing", "record", "expected"), NOTHING)
def test_what_a_system_writes_for_nothing_is_nothing(mapped: Map, nothing: str, record: Any, expected: Any) -> None:
    lines = f"nothing: {nothing}\nprofile: {{kind: PERSON, given_name: name}}"
    assert values(mapped(lines, [{"id": 1, **record}]), "profile", "given_name") == [expected]


def test_nothing_holds_for_references_units_and_controls_and_not_for_flags(mapped: Map) -> None:
    lines = """
    nothing: [false]
    belongs_to: {stream: people, key: person}
    consent: {at: {path: at, convert: epoch_s}, purpose: news, granted: yes_or_no, channel: EMAIL}
    money_entry: {kind: REVENUE, at: {path: at, convert: epoch_s}, currency: currency,
                  amount: {first: [net, total], minus: tax, minor: currency}}
    reconcile: {amount: {first: [net, total], minus: tax, minor: currency}, currency: {first: [money, currency]}}
    """
    record = {"id": 1, "person": False, "at": 1, "yes_or_no": False, "net": False, "total": 9, "tax": False,
              "currency": "EUR", "money": False}  # fmt: skip
    made = mapped(lines, [record], PEOPLE)
    assert values(made, "consent", "granted") == [False]
    assert values(made, "money_entry", "profile") == [None]
    assert values(made, "money_entry", "amount") == [9_000]
    assert made.controls == [(1, 0, "EUR", 9_000)]


# settings in values ---------------------------------------------------------------------------------------------------
SETTING = """
system: thing
kind: crm
about: A thing.
settings: {currency: {}}
http: {base_url: "https://thing.example"}
streams:
  people:
    get: /people
    key: id
    profile: {kind: PERSON}
  things:
    get: /things
    key: id
    belongs_to: {stream: people, key: person}
    order:
      status: OPEN
      placed_at: {path: at, convert: epoch_s}
      amount: {path: total, major: {path: currency, default: "${currency}"}}
      currency: {path: currency, default: "${currency}"}
"""
SET = [
    pytest.param({"currency": "USD"}, "EUR", (5_000, "EUR"), id="the-record-says"),
    pytest.param({"currency": "USD"}, None, (5_000, "USD"), id="the-setting-says"),
    pytest.param({"currency": "JPY"}, None, (5_000, "JPY"), id="and-its-unit"),
]


def with_settings(load: Any, rulebook: Rulebook, settings: dict[str, str]) -> Compiled:
    return compile_stream(Source("thing", load(SETTING).system, Settings(settings)), "things", rulebook)


@pytest.mark.parametrize(("settings", "said", "expected"), SET)
def test_a_constant_may_be_a_setting_of_the_source(
    load: Any, rulebook: Rulebook, settings: dict[str, str], said: str | None, expected: tuple[int, str]
) -> None:
    total = 5 if "JPY" in settings.values() else 0.05
    made = with_settings(load, rulebook, settings).map([(1, {"id": 1, "at": 1, "total": total, "currency": said})])
    (order,) = rows(made, "order")
    assert (order["amount"], order["currency"]) == expected


def test_a_setting_that_is_missing_or_does_not_fit_is_told_record_by_record(load: Any, rulebook: Rulebook) -> None:
    record = {"id": 1, "at": 1, "total": 5}
    assert with_settings(load, rulebook, {}).map([(1, record)]).problems == [
        (1, "$.total", "an amount without a currency")
    ]
    assert with_settings(load, rulebook, {"currency": "EURO"}).map([(1, record)]).problems == [
        (1, "$.currency", "a text that is no ISO 4217 currency")
    ]
    assert with_settings(load, rulebook, {"currency": "EURO"}).map([(1, {**record, "currency": "EUR"})]).problems == []


def test_the_version_changes_with_the_setting(load: Any, rulebook: Rulebook) -> None:
    versions = {with_settings(load, rulebook, {"currency": code}).version for code in ("EUR", "EUR", "USD")}
    assert len(versions) == 2


# records that are gone ------------------------------------------------------------------------------------------------
def test_a_record_that_says_it_is_gone_means_nothing(mapped: Map) -> None:
    lines = BOOKS.replace("&AMOUNT", "{path: t, minor: currency}") + "deleted: {when: {state: {contains: del}}}\n"
    good = {"id": 1, "at": 1, "person": 7, "currency": "EUR", "t": 5}
    made = mapped(lines, [good, {"id": 2, "state": "deleted"}, {"state": "deleted", "t": "x"}, 5], PEOPLE)
    assert [row[0] for row in made.rows["money_entry"]] == [1]
    assert made.controls == [(1, 0, "EUR", 5_000)]
    assert made.problems == [(4, "$", "the record is not an object")]
    assert made.gone == []


def test_a_record_of_a_stream_of_deletions_names_what_is_gone(mapped: Map) -> None:
    made = mapped("deletes: people", [{"id": 7}, {"id": "a"}, {"no": 1}], PEOPLE)
    assert made.gone == [(1, "people", "7"), (2, "people", "a")]
    assert [problem[0] for problem in made.problems] == [3]
    assert made.rows == {}


def test_a_deletion_with_a_compound_key_names_it_as_the_other_stream_does(compiled: Callable[..., Compiled]) -> None:
    made = compiled("deletes: people\ndeleted: {when: {undone: true}}", PEOPLE).map(
        [(1, {"id": 7}), (2, {"id": 8, "undone": True})]
    )
    assert made.gone == [(1, "people", "7")]


VERSIONED = [
    pytest.param("deleted: {when: {state: gone}}", id="deleted"),
    pytest.param("deletes: people", id="deletes"),
    pytest.param("nothing: [false]", id="nothing"),
    pytest.param("profile: {kind: PERSON, created_at: {path: a, format: '%Y-%m-%d'}}", id="format"),
    pytest.param("profile: {kind: PERSON, given_name: {jmespath: a}}", id="jmespath"),
    pytest.param("profile: {kind: PERSON, handles: [a]}", id="handles"),
]


@pytest.mark.parametrize("lines", VERSIONED)
def test_what_changes_rows_changes_the_version(compiled: Callable[..., Compiled], lines: str) -> None:
    plain = "" if "profile" in lines else "profile: {kind: PERSON}"
    before = compiled(plain or "profile: {kind: PERSON}", PEOPLE).version
    after = compiled(f"{plain}\n{lines}", PEOPLE).version
    assert before != after


def test_lacks_is_the_opposite_of_contains(mapped: Map) -> None:
    records = [{"id": 1, "tags": ["a"]}, {"id": 2, "tags": ["b"]}, {"id": 3}, {"id": 4, "tags": "xax"}]
    made = mapped("profile: {kind: PERSON, when: {tags: {lacks: a}}}", records)
    assert [row["landing_no"] for row in rows(made, "profile")] == [2, 3]
