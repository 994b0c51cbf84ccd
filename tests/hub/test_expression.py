"""The rule language: what it takes, what it refuses and how it says so, and when a condition may flip."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from hub.expression import (
    Condition,
    ExpressionError,
    Name,
    Scope,
    compile_aggregate,
    compile_condition,
    duration,
    entity_scope,
)
from hub.store.engine import Store

D = 86_400_000_000
SCOPE = Scope(
    "a thing",
    {
        "at": Name("at", "instant"),
        "ends": Name("ends", "instant"),
        "word": Name("word", "text"),
        "color": Name("color", "text", ("RED", "GREEN")),
        "n": Name("n", "number"),
        "share": Name("share", "ratio"),
        "price": Name("price", "amount"),
        "paid": Name("paid", "amount"),
        "yes": Name("yes", "flag"),
    },
)
ROW = {
    "at": 10 * D, "ends": 40 * D, "word": "visit.made", "color": "RED", "n": 7, "share": 250_000, "price": 5_000,
    "paid": 2_000, "yes": True,
}  # fmt: skip
NOW = 20 * D

HOLDS: dict[str, bool | None] = {
    "n = 7": True,
    "n <> 7": False,
    "n != 7": False,
    "n < 7": False,
    "n <= 7": True,
    "7 < n": False,
    "n + 1 > 7": True,
    "n - 1 >= 7": False,
    "n * 2 = 14": True,
    "-n = -7": True,
    "n between 5 and 7": True,
    "n not between 5 and 7": False,
    "n in (1, 7)": True,
    "n not in (1, 7)": False,
    "word = 'visit.made'": True,
    "word in ('a', 'visit.made')": True,
    "word like 'visit.%'": True,
    "word like 'Visit.%'": False,
    "word like '%.made'": True,
    "word like '%t.m%'": True,
    "word like 'visit.made'": True,
    "word like 'visit_made'": False,
    "word is null": False,
    "word is not null": True,
    "color = 'RED' and not color = 'GREEN'": True,
    "color = 'GREEN' or n = 7": True,
    "color = 'GREEN' or n = 8 and yes": False,
    "yes": True,
    "not yes": False,
    "yes = true": True,
    "yes <> true": False,
    "share = 0.25": True,
    "share > 0.2": True,
    "share < 1": True,
    "share between -0.5 and 0.25": True,
    "price > paid": True,
    "price - paid > 0": True,
    "price = 0": False,
    "at < as_of": True,
    "at > as_of - 9d": False,
    "at >= as_of - 10d": True,
    "at > as_of - 10d": False,
    "as_of - 10d <= at": True,
    "ends <= as_of + 20d": True,
    "ends < as_of + 480h": False,
    "at between as_of - 2w and as_of": True,
    "at + 10d = as_of": True,
    "ends - at = 30d": True,
    "ends - at > 4w": True,
    "days(at, ends) = 30": True,
    "days(ends, at) = -30": True,
    "at = ends - 43200m": True,
    "(n = 7) and ((word = 'visit.made'))": True,
    "not (n = 7 and yes)": False,
}


@pytest.mark.parametrize(("said", "expected"), HOLDS.items(), ids=HOLDS)
def test_a_condition_holds_alike_on_both_databases(store: Store, said: str, expected: bool) -> None:
    assert _holds(store, compile_condition(said, SCOPE), ROW, NOW) is expected


def _holds(store: Store, condition: Condition, row: dict[str, object], now: int) -> bool | None:
    binds = {name: value for name, value in row.items() if name != "yes"}
    types = {name: "TEXT" if isinstance(value, str) else "BIGINT" for name, value in binds.items()}
    columns = ", ".join(f"CAST(:{name} AS {type_}) AS {name}" for name, type_ in types.items())
    sql = condition.sql(store.dialect)
    binds |= {"as_of": now} if condition.flips else {}
    with store.read() as connection:
        query = f"SELECT CASE WHEN {sql} THEN 1 ELSE 0 END FROM (SELECT {columns}, true AS yes) AS one"  # noqa: S608
        return bool(connection.scalar(text(query), binds))


WORDS = [
    "it's", "a:b", ":as_of", "\\", "\\:x", "\\%", "50%", "%s", "100 %% sure", "{0}", "ä ö ß", "💶", "--", "/* x */",
    ";", '"', "$1", "?", "''", "a'b'c",
]  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_a_text_in_quotes_is_that_text_and_nothing_more(store: Store, word: str) -> None:
    quoted = word.replace("'", "''")
    assert _holds(store, compile_condition(f"word = '{quoted}'", SCOPE), ROW | {"word": word}, NOW)
    assert not _holds(store, compile_condition(f"word = '{quoted}'", SCOPE), ROW | {"word": f"{word}."}, NOW)
    contained = quoted.replace("\\", "\\\\").replace("%", "\\%")
    assert _holds(store, compile_condition(f"word like '%{contained}%'", SCOPE), ROW | {"word": f"<{word}>"}, NOW)


REFUSED: dict[str, str] = {
    "": "is not one expression",
    "   ": "is not one expression",
    "n = ": "cannot be read",
    "n = 7)": "cannot be read",
    "word = 'open": "cannot be read",
    "n 7": "cannot be read",
    "n m": "not part of the rule language",
    "n": "a number is no condition",
    "word": "a text is no condition",
    "true": "a flag is no condition",
    "nn = 7": "`nn` is unknown for a thing; allowed: as_of, at, ends",
    "colour = 'RED'": "did you mean `color`?",
    "color = 'GREN'": "'GREN' is none of RED, GREEN; did you mean `GREEN`?",
    "color in ('RED', 'BLU')": "'BLU' is none of RED, GREEN",
    "n = '7'": "a number cannot be compared with a text",
    "word = 7": "a text cannot be compared with a number",
    "word > 'a'": "a text has no order",
    "yes > false": "a flag has no order",
    "at > 7": "an instant cannot be compared with a number",
    "at = '2025-01-01'": "an instant cannot be compared with a text",
    "n = null": "null is asked for with `is null`",
    "n is 7": "after `is` only null",
    "as_of is null": "after `is` only null",
    "n < 3 < 4": "cannot be compared",
    "(n = 7) = (n = 8)": "cannot be compared",
    "price > 5": "an amount is compared with 0 or with another amount",
    "price * 2 > 0": "amounts are never multiplied",
    "price * paid > 0": "amounts are never multiplied",
    "n * n > 0": "a plain number",
    "n / 2 > 0": "`/` is not part of the rule language",
    "n % 2 = 0": "`%` is not part of the rule language",
    "share * 2 > 0": "`*` takes a number",
    "n > 1.5": "a number cannot be compared with a ratio",
    "at + ends > at": "an instant + an instant is not allowed",
    "at + n > as_of": "an instant + a number is not allowed",
    "as_of - at > 30d": "write it as: name > as_of - 30d",
    "days(at, as_of) > 30": "neither may be as_of",
    "as_of > as_of - 3d": "as_of cannot be compared with as_of",
    "n in (as_of)": "takes a name and a list of plain values",
    "n in ()": "takes a name and a list of plain values",
    "n in (select 1)": "`query` is not part of the rule language",
    "n in (n, 7)": "takes a name and a list of plain values",
    "at in (as_of)": "takes a name and a list of plain values",
    "at > as_of - 30x": "`30x` is no duration",
    "at > as_of - 30days": "`30days` is no duration",
    "at > as_of - 1234567d": "is no duration",
    "minutes__(3) = minutes__(3)": "`minutes__` is unknown",
    "word like 'a%b'": "`like` allows 'a%'",
    "word like '%'": "`like` allows 'a%'",
    "word like '%%'": "`like` allows 'a%'",
    "word like word": "`like` takes a text name and a text in quotes",
    "n like '7%'": "`like` takes a text name and a text in quotes",
    "word like 'a!%' escape '!'": "not part of the rule language",
    "word ilike 'a%'": "not part of the rule language",
    "word similar to 'a'": "not part of the rule language",
    "count() > 3": "count() may stand only as a metric's `value`",
    "max(n) > 3": "max() may stand only as a metric's `value`",
    "lower(word) = 'x'": "not part of the rule language",
    "load_extension('x') = 1": "function `load_extension` is unknown",
    "dayz(at, ends) = 1": "did you mean `days`?",
    "pg_sleep(9) is null": "function `pg_sleep` is unknown",
    "coalesce(n, 1) = 1": "not part of the rule language",
    "case when yes then yes end": "not part of the rule language",
    "cast(n as text) = 'x'": "not part of the rule language",
    "n::text = 'x'": "`:` is not part of the rule language",
    "exists (select 1)": "not part of the rule language",
    "(select 1) = 1": "not part of the rule language",
    "n = any (select 1)": "",
    "select 1": "not part of the rule language",
    "thing.n = 7": "names have no dots here",
    "n = 7; drop table customer": "`;` is not part of the rule language",
    "n = 7 -- and so on": "`--` is not part of the rule language",
    "n = 7 /* and so on */": "`/` is not part of the rule language",
    "n = 7 union select 1": "not part of the rule language",
    '"n" = 7': "is not part of the rule language",
    "`n` = 7": "is not part of the rule language",
    "[n] = 7": "is not part of the rule language",
    "n = :n": "`:` is not part of the rule language",
    "n = ?": "`?` is not part of the rule language",
    "n = $1": "`$` is not part of the rule language",
    "n = @x": "`@` is not part of the rule language",
    "word = e'\\x41'": "",
    "word = x'41'": "",
    "word = 'a' 'b'": "",
    "word = 'a\nb'": "a character that cannot be printed",
    "word = 'a\0b'": "a character that cannot be printed",
    "word || 'x' = 'x'": "`|` is not part of the rule language",
    "n = 1e5": "no number that can be used",
    "n = 1234567890123456": "no number that can be used",
    "at > current_timestamp": "not part of the rule language",
    "at > now()": "",
    "at > interval '1 day'": "not part of the rule language",
    "*": "not part of the rule language",
    "yes collate nocase": "not part of the rule language",
    "n is distinct from 7": "not part of the rule language",
    "n between symmetric 1 and 2": "`symmetric` is not part of the rule language",
    "xor(yes, yes)": "",
    "(" * 900 + "yes" + ")" * 900: "nested too deeply",
    "yes and " * 300 + "yes": "is longer than 2000 characters",
}


@pytest.mark.parametrize(("said", "why"), REFUSED.items(), ids=[repr(said[:40]) for said in REFUSED])
def test_what_is_not_listed_is_refused_with_place_and_reason(said: str, why: str) -> None:
    with pytest.raises(ExpressionError) as told:
        compile_condition(said, SCOPE, "risk.yml:7")
    assert str(told.value).startswith("risk.yml:7: ")
    assert why in str(told.value)
    assert "\n" not in str(told.value) or "\n" in said


SAID = "as_of 30d 7 0.5 'x' null is not and or in like between select from case count days max distinct union interval"


@settings(deadline=None, max_examples=400, derandomize=True)
@given(
    st.lists(
        st.sampled_from([*SCOPE.names, *"()<>=,'%*-+;:\"/", *SAID.split()]),
        max_size=12,
    ).map(" ".join)
    | st.text(max_size=30)
)  # fmt: skip
def test_no_text_ends_in_anything_but_a_condition_or_an_error_of_ours(said: str) -> None:
    for compiled in (compile_condition, compile_aggregate):
        try:
            compiled(said, SCOPE)
        except ExpressionError as error:
            assert error.what  # noqa: PT017  (both ways out are right; a third one is not)


FLIPS: dict[str, list[tuple[str, int]]] = {
    "at > as_of - 30d": [("at", 30 * D)],
    "at >= as_of - 30d": [("at", 30 * D + 1)],
    "at < as_of - 30d": [("at", 30 * D + 1)],
    "at <= as_of - 30d": [("at", 30 * D)],
    "as_of - 30d < at": [("at", 30 * D)],
    "ends <= as_of + 30d": [("ends", -30 * D)],
    "at = as_of": [("at", 0), ("at", 1)],
    "at + 5d > as_of - 30d": [("at", 35 * D)],
    "at > as_of - 112d and at <= as_of - 28d": [("at", 112 * D), ("at", 28 * D)],
    "at between as_of - 2d and as_of": [("at", 2 * D + 1), ("at", 0)],
    "n = 7": [],
    "days(at, ends) > 3": [],
}


@pytest.mark.parametrize(("said", "expected"), FLIPS.items(), ids=FLIPS)
def test_flips_are_the_instants_at_which_the_truth_changes(said: str, expected: list[tuple[str, int]]) -> None:
    assert list(compile_condition(said, SCOPE).flips) == expected


OPERATORS = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__, "=": int.__eq__, "<>": int.__ne__}


@pytest.mark.parametrize("op", OPERATORS)
def test_between_two_flips_nothing_changes(op: str) -> None:
    at, k = 1_000 * D, 3 * D
    condition = compile_condition(f"at {op} as_of - 3d", SCOPE)
    truth = OPERATORS[op]
    flips = {at + offset for _, offset in condition.flips}
    instants = range(at + k - 4, at + k + 5)
    changes = {now for now in instants if bool(truth(at, now - k)) != bool(truth(at, now - 1 - k))}
    assert changes == flips & set(instants) == flips


def test_the_guard_is_what_does_not_depend_on_the_clock() -> None:
    condition = compile_condition("word = 'x' and at > as_of - 3d and (n = 7 or ends < as_of)", SCOPE)
    assert condition.guard("sqlite") == "((word = 'x'))"
    assert compile_condition("at > as_of", SCOPE).guard("postgresql") == "(1 = 1)"


def test_the_columns_of_a_condition_are_known() -> None:
    assert compile_condition("word = 'x' and at > as_of - 3d", SCOPE).columns == {"word", "at"}
    assert compile_aggregate("max(days(at, ends))", SCOPE).columns == {"at", "ends"}


AGGREGATES = {
    "count()": "COUNT(CASE WHEN c THEN 1 END)",
    "count(distinct word)": "COUNT(DISTINCT CASE WHEN c THEN word END)",
    "sum(n)": "CAST(SUM(CASE WHEN c THEN n END) AS BIGINT)",
    "min(at)": "CAST(MIN(CASE WHEN c THEN at END) AS BIGINT)",
    "max(share)": "CAST(MAX(CASE WHEN c THEN share END) AS BIGINT)",
}


@pytest.mark.parametrize(("said", "expected"), AGGREGATES.items(), ids=AGGREGATES)
def test_an_aggregate_takes_the_rows_of_a_condition(said: str, expected: str) -> None:
    assert compile_aggregate(said, SCOPE).sql("c") == expected


NOT_AGGREGATES = [
    "n", "count(n)", "count(*)", "count(distinct n, at)", "sum(at)", "sum(word)", "sum(price)", "max(price)",
    "min(word)", "max(as_of)", "max(as_of - 3d)", "max(n, at)", "max()", "sum(3)", "avg(n)", "sum(n) + sum(n)",
    "max(n) filter (where yes)", "max(n) over ()", "sum(distinct n)", "group_concat(word)", "max(max(n))",
    "count(distinct price)",
]  # fmt: skip


@pytest.mark.parametrize("said", NOT_AGGREGATES)
def test_what_is_no_aggregate_is_refused(said: str) -> None:
    with pytest.raises(ExpressionError, match=r"^metrics\.yml:3: "):
        compile_aggregate(said, SCOPE, "metrics.yml:3")


def test_every_field_of_an_entity_that_rules_may_read_can_be_named() -> None:
    scope = entity_scope("interaction", "f")
    assert scope.names["type"] == Name('f."type"', "text")
    for name, known in entity_scope("order").names.items():
        assert compile_condition(f"{name} is null", entity_scope("order")).sql("sqlite") == f"(({known.sql} IS NULL))"


@pytest.mark.parametrize(("said", "days"), [("30d", 30), ("2w", 14), ("48h", 2), ("2880m", 2)])
def test_a_duration_is_microseconds(said: str, days: int) -> None:
    assert duration(said) == days * D


@pytest.mark.parametrize("said", ["", "30", "d", "-3d", "1.5d", "3 d", "3D", "3months", "99999999d"])
def test_no_duration_is_refused(said: str) -> None:
    with pytest.raises(ExpressionError, match="write 30d, 12h, 2w or 90m"):
        duration(said)
