"""Each converter with what it takes, what it gives and what it refuses, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mappings.converters import CONVERTERS, phone
from mappings.converting.instants import iso
from mappings.converting.lexicon import intent, read_lexicon
from mappings.converting.quantities import major, minor, times
from mappings.values import UnfitError, plain

MAY_1 = 1_777_593_600_000_000  # 2026-05-01T00:00:00Z

GIVEN = [
    ("epoch_s", 1_777_593_600, MAY_1),
    ("epoch_s", "1777593600", MAY_1),
    ("epoch_s", 1_777_593_600.25, MAY_1 + 250_000),
    ("epoch_s", " ", None),
    ("epoch_ms", 1_777_593_600_000, MAY_1),
    ("epoch_us", MAY_1, MAY_1),
    ("iso", "2026-05-01T00:00:00Z", MAY_1),
    ("iso", "2026-05-01T02:00:00+02:00", MAY_1),
    ("iso", "2026-05-01T00:00:00.000Z", MAY_1),
    ("iso", "2026-05-01 00:00:00", MAY_1),
    ("iso", "2026-05-01 00:00:00 UTC", MAY_1),
    ("iso", "2026-05-01", MAY_1),
    ("iso", "", None),
    ("date", "1990-02-28", "1990-02-28"),
    ("date", "1990-02-28T00:00:00Z", "1990-02-28"),
    ("us_date", "12/31/2026", "2026-12-31"),
    ("us_date", "2/3/2026 10:00", "2026-02-03"),
    ("eu_date", "31.12.2026", "2026-12-31"),
    ("eu_date", "3/2/2026", "2026-02-03"),
    ("eu_date", "31.12.2026, 14:30 Uhr", "2026-12-31"),
    ("email", " Zoë.Meier+shop@Mail.EXAMPLE ", "zoë.meier+shop@mail.example"),
    ("email", "mailto:a@b.example", "a@b.example"),
    ("email", "n/a", None),
    ("email", "a@b", None),
    ("email", "a b@c.example", None),
    ("country", "de", "DE"),
    ("country", "Deutschland", "DE"),
    ("country", "GBR", "GB"),
    ("country", "uk", "GB"),
    ("country", "NO", "NO"),
    ("country", "Wakanda", None),
    ("language", "de-AT", "de"),
    ("language", "en_US", "en"),
    ("language", ["fr", "en"], "fr"),
    ("language", [], None),
    ("language", "German", None),
    ("currency", "eur", "EUR"),
    ("currency", " KWD ", "KWD"),
    ("bool", True, True),
    ("bool", "No", False),
    ("bool", 1, True),
    ("int", "42", 42),
    ("int", 42.0, 42),
    ("int", "", None),
    ("ratio", 0.25, 250_000),
    ("ratio", "-1", -1_000_000),
    ("months", "year", 12),
    ("months", "month", 1),
    ("months", "3 months", 3),
    ("months", "quarterly", 3),
    ("months", "week", None),
    ("lower", " ABC ", "abc"),
    ("upper", "abc", "ABC"),
    ("strip", "  a\u00a0", "a"),
    ("strip", 7, "7"),
    ("strip", 7.0, "7"),
    ("strip", True, "true"),
    ("strip", "a\x00b", "ab"),
    ("strip", "a\ud800b", "ab"),
    ("text", "<p>Ich m&ouml;chte\n k&uuml;ndigen</p><script>x()</script>", "Ich möchte kündigen"),
    ("text", "<b>a</b> < b <STYLE>p {}</p></style>c", "a < b c"),
    ("text", "seen<script" * 6000 + ">hidden", ("seen<script" * 400)[:4000]),
    ("text", "x" * 5000, "x" * 4000),
    ("given_name", "Ada Lovelace", "Ada"),
    ("given_name", "Lovelace, Ada", "Ada"),
    ("given_name", "Ada", None),
    ("family_name", "Ludwig van Beethoven", "van Beethoven"),
    ("family_name", "Beethoven, Ludwig", "Beethoven"),
    ("family_name", "Ada", None),
    ("url_path", "https://shop.example/pricing?x=1#top", "/pricing"),
    ("url_path", "https://shop.example", "/"),
]

REFUSED = [
    ("epoch_s", "yesterday"),
    ("epoch_s", True),
    ("epoch_s", 10**15),
    ("epoch_s", "1_777_593_600"),
    ("epoch_s", []),
    ("iso", "31.12.2026"),
    ("iso", "2026-02-30"),
    ("iso", 1_777_593_600),
    ("date", "1990-13-01"),
    ("us_date", "31/12/2026"),
    ("eu_date", "31.12.26"),
    ("eu_date", "31.12.2026.1"),
    ("currency", "XXX"),
    ("currency", "Euro"),
    ("bool", "perhaps"),
    ("int", "4 apples"),
    ("int", 4.5),
    ("int", 10**30),
    ("ratio", "NaN"),
    ("ratio", "1e999999"),
    ("strip", {"a": 1}),
    ("text", ["a"]),
    ("url_path", "http://[broken"),
]


def _id(case: tuple[Any, ...]) -> str:
    return f"{case[0]}-{str(case[1])[:20].encode('ascii', 'backslashreplace').decode()}"


@pytest.mark.parametrize(("name", "value", "expected"), GIVEN, ids=map(_id, GIVEN))
def test_a_value_is_converted(name: str, value: Any, expected: Any) -> None:
    assert CONVERTERS[name].call(value) == expected


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=map(_id, REFUSED))
def test_what_is_no_such_value_is_refused_without_repeating_it(name: str, value: Any) -> None:
    with pytest.raises(UnfitError) as refused:
        CONVERTERS[name].call(value)
    assert len(str(value)) <= 3 or str(value) not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "region", "expected"),
    [
        ("+49 30 23125032", "GB", "+493023125032"),
        ("030 23125032", "DE", "+493023125032"),
        ("+49 (0)30 23125032", "DE", "+493023125032"),
        ("0049 30 23125032", "DE", "+493023125032"),
        ("(212) 555-0143", "US", "+12125550143"),
        ("unknown", "DE", None),
        ("0000000", "DE", None),
        (493023125032, "DE", "+493023125032"),
    ],
)
def test_phone_numbers_become_e164_and_junk_becomes_nothing(written: Any, region: str, expected: str | None) -> None:
    assert phone(written, region) == expected


@pytest.mark.parametrize(
    ("convert", "value", "code", "expected"),
    [
        (minor, 1999, "eur", 1_999_000),
        (minor, "1999", "EUR", 1_999_000),
        (minor, 4300, "JPY", 4_300_000),
        (minor, -5, "KWD", -5_000),
        (minor, 0.5, "USD", 500),
        (minor, " ", "USD", None),
        (major, "19.99", "EUR", 1_999_000),
        (major, 184.03, "usd", 18_403_000),
        (major, "4300", "JPY", 4_300_000),
        (major, "1.234", "KWD", 1_234_000),
        (major, "0.00001", "EUR", 1),
        (major, "-3", "CLF", -30_000_000),
        (major, "1000000000000", "EUR", 10**17),
    ],
)
def test_amounts_are_exact_thousandths_of_the_minor_unit(convert: Any, value: Any, code: str, expected: Any) -> None:
    assert convert(value, code) == expected


@pytest.mark.parametrize(
    ("convert", "value", "code", "reason"),
    [
        (major, "12 euros", "EUR", "not an amount"),
        (major, "1,200.50", "EUR", "not an amount"),
        (major, "0.000001", "EUR", "fractions below"),
        (minor, 10**18, "EUR", "too large"),
        (minor, True, "EUR", "true or false"),
        (minor, 5, None, "without a currency"),
        (minor, 5, "ZZZ", "no ISO 4217"),
        (major, "Infinity", "EUR", "not an amount"),
    ],
)
def test_amounts_that_are_none_are_refused(convert: Any, value: Any, code: Any, reason: str) -> None:
    with pytest.raises(UnfitError, match=reason):
        convert(value, code)


def test_an_amount_is_multiplied_by_whole_numbers_only() -> None:
    assert times(1_999_000, 3) == 5_997_000
    assert times(1_999_000, None) == 1_999_000
    with pytest.raises(UnfitError):
        times(1_999_000, 1.5)


def test_a_time_without_a_zone_is_in_the_zone_that_the_mapping_names() -> None:
    assert iso("2026-05-01T02:00:00", ZoneInfo("Europe/Berlin")) == MAY_1
    assert iso("2026-12-01T01:00:00", ZoneInfo("Europe/Berlin")) == iso("2026-12-01T00:00:00Z")


@pytest.mark.parametrize(
    ("said", "language", "expected"),
    [
        ("Ich möchte meinen Vertrag KÜNDIGEN.", None, "CANCEL"),
        ("Ich moechte kuendigen", "de", "CANCEL"),
        ("Please close  my\naccount", "en", "CANCEL"),
        ("This is not acceptable, I want to cancel", "en", "CANCEL"),
        ("This is not acceptable", None, "COMPLAINT"),
        ("noncancellable", "en", None),
        ("Je veux cancel", "fr", None),
        ("Hello", None, None),
        ("", None, None),
    ],
)
def test_the_lexicon_reads_what_a_text_wants(said: str, language: str | None, expected: str | None) -> None:
    intents = {
        "CANCEL": {"en": ["cancel", "close my account"], "de": ["kündig*"]},
        "COMPLAINT": {"en": ["not acceptable"]},
    }
    assert intent(said, read_lexicon(intents), language) == expected


def test_every_converter_says_what_it_does_and_is_in_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text("utf-8")
    for name, converter in CONVERTERS.items():
        assert converter.about.endswith("."), name
        assert f"| `{name}` |" in guide, name


def test_plain_keeps_text_that_is_already_clean() -> None:
    assert plain("Łukasz 日本") == "Łukasz 日本"
