"""What a value may not say: each is refused when the file is loaded, with its line and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.checking.document import MappingError
from mappings.loader import load_system

GOOD = """\
system: thing
kind: crm
about: A thing.
settings: {token: {secret: true}, currency: {}}
http:
  base_url: "https://thing.example"
  auth: {bearer: "${token}"}
streams:
  people:
    get: /people
    key: id
    profile:
      kind: PERSON
      given_name: name
      created_at: made
  bills:
    get: /bills
    key: id
    belongs_to: {stream: people, key: person}
    reconcile: {amount: {path: total, minor: currency}, currency: currency}
    interaction: {type: call.made, at: at, channel: PHONE, lane: BRAND, duration_s: length}
    money_entry:
      kind: REVENUE
      at: at
      amount: {path: total, minor: currency}
      currency: currency
"""
MONEY, CONTROL = "      amount: {path: total", "reconcile: {amount: {path: total"
WRONG = [
    pytest.param("given_name: name", "given_name: {jmespath: 'a['}",
                 "14: no JMESPath expression: Invalid jmespath expression: Incomplete expression",
                 id="half-an-expression"),
    pytest.param("given_name: name", "given_name: {jmespath: 'nosuch(a)'}",
                 "14: no JMESPath expression: Unknown function",
                 id="no-such-function"),
    pytest.param("given_name: name", "given_name: {jmespath: a, path: b}", "14: say exactly one of path, jmespath",
                 id="two-origins"),
    pytest.param("given_name: name", "given_name: {path: name, format: '%Y-%m-%d'}",
                 "14: `format` is for times and days",
                 id="format-of-a-text"),
    pytest.param("created_at: made", "created_at: {path: made, format: '%d.%m.'}",
                 "15: `%d.%m.` is no pattern of a time: it does not say the whole day", id="format-without-a-year"),
    pytest.param("created_at: made", "created_at: {path: made, format: '%Y-%m-%d', convert: iso}",
                 "15: say `format` or `convert`, not both", id="format-and-converter"),
    pytest.param("created_at: made", "created_at: {first: [made], format: '%d.%m.'}", "15: `%d.%m.` is no pattern",
                 id="format-of-the-first"),
    pytest.param("given_name: name", "given_name: {path: name, decimal: ','}", "14: `decimal` is for amounts, numbers",
                 id="decimal-of-a-text"),
    pytest.param(MONEY, "      amount: {decimal: ';', path: total", "25: `;` is none of", id="decimal-of-another-sign"),
    pytest.param("given_name: name", "given_name: {path: name, minus: other}",
                 "14: `minor`, `major` and `minus` are for",
                 id="minus-of-a-text"),
    pytest.param("created_at: made", "created_at: {path: made, times: 60}", "15: `times` is for amounts and numbers",
                 id="times-of-a-time"),
    pytest.param(MONEY, "      amount: {minus: [a, b..c], path: total", "25: `b..c` is no path", id="minus-of-no-path"),
    pytest.param(MONEY, "      each: [orders, a..b]\n      amount: {path: total", "25: `a..b` is no path",
                 id="each-of-no-path"),
    pytest.param(MONEY, "      each: []\n      amount: {path: total", "25: `each` has nothing in it",
                 id="each-of-nothing"),
    pytest.param("minor: currency}\n      currency", "minor: {path: c, default: EURO}}\n      currency",
                 "25: `EURO` is no value of `currency`", id="unit-of-no-currency"),
    pytest.param("given_name: name", 'given_name: {path: name, default: "${token}"}',
                 "14: the setting `token` is secret, and a value is shown", id="a-secret-shown"),
    pytest.param("given_name: name", 'given_name: {path: name, default: "${tokn}"}',
                 "14: the setting `tokn` is not declared",
                 id="a-setting-not-declared"),
    pytest.param(CONTROL, "reconcile: {amount: {jmespath: total",
                 "20: a control reads the record as it is, without `jmespath`",
                 id="a-control-by-an-expression"),
    pytest.param(CONTROL, "reconcile: {amount: {minus: a..b, path: total", "20: `a..b` is no path",
                 id="a-control-of-no-path"),
    pytest.param("given_name: name", "given_name: {first: []}", "14: `first` has nothing in it",
                 id="the-first-of-none"),
    pytest.param("given_name: name", "given_name: {path: name, convert: nosuch, default: x}",
                 "14: `nosuch` is no converter",
                 id="a-default-of-no-converter"),
    pytest.param("created_at: made", "created_at: true", "15: `True` is no value of `created_at`: true or false where",
                 id="a-bare-yes-for-a-time"),
    pytest.param("    key: id\n    belongs_to", "    key: id\n    deleted: {when: {a..b: 1}}\n    belongs_to",
                 "19: `a..b` is no path", id="deleted-when-of-no-path"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "expected"), WRONG)
def test_a_value_that_cannot_mean_anything_is_refused_with_its_line(
    tmp_path: Path, good: str, bad: str, expected: str
) -> None:
    assert GOOD.count(good) == 1
    path = tmp_path / "thing.yml"
    path.write_text(GOOD, "utf-8")
    load_system(path)
    path.write_text(GOOD.replace(good, bad), "utf-8")
    with pytest.raises(MappingError) as refused:
        load_system(path)
    told = [str(problem).removeprefix(f"{path}:") for problem in refused.value.problems]
    assert any(problem.startswith(expected) for problem in told), told
