"""Roles: what they see, which customers a condition means on both databases, and what a wrong file is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select, text

from hub.access.classes import CLASSES, maskable, refusable
from hub.access.roles import build_sights
from hub.access.sight import EVERYTHING, Sight
from hub.rules import load_rules
from hub.store.derived import customer_card
from hub.store.engine import Store
from mappings.loader import MappingError, shipped
from mappings.rulebook import Role, Rulebook

ROLES = shipped() / "rules" / "access.yml"
WRITES = refusable("DECISION") | refusable("ERASURE")


def role(rulebook: Rulebook, **said: object) -> Sight:
    """The sight of a role that says this."""
    roles = {"one": Role.model_validate({"about": "One.", **said})}
    access = rulebook.access.model_copy(update={"roles": roles, "purposes": ["service"]})
    return build_sights(rulebook.model_copy(update={"access": access}))["one"]


# fields --------------------------------------------------------------------------------------------------------------
def test_the_shipped_roles_see_what_they_are_for(rulebook: Rulebook) -> None:
    sights = build_sights(rulebook)
    assert list(sights) == ["admin", "analyst", "agent", "marketing"]
    assert sights["admin"] is EVERYTHING
    unknown = {name: {c for c in CLASSES if maskable(c) and maskable(c) <= s.masked} for name, s in sights.items()}
    assert unknown == {
        "admin": set(),
        "analyst": {"CONTACT", "NAME", "BIRTH_DATE", "TEXT"},
        "agent": {"MONEY"},
        "marketing": {"BIRTH_DATE"},
    }
    assert all(sights[name].refused >= WRITES for name in ("analyst", "agent", "marketing"))
    assert {name for name, sight in sights.items() if sight.customers() is not None} == {"marketing"}


def test_a_masked_class_can_neither_be_filtered_nor_sorted_by(rulebook: Rulebook) -> None:
    sight = role(rulebook, mask=["NAME"])
    assert "Customer.displayName" in sight.masked
    assert {"CustomerOrderField.DISPLAY_NAME", "Query.searchCustomers"} <= sight.refused
    assert not sight.masked & sight.refused


def test_a_refused_class_is_refused_whole(rulebook: Rulebook) -> None:
    sight = role(rulebook, refuse=["CONTACT"], mask=["BIRTH_DATE"])
    assert sight.refused == maskable("CONTACT") | refusable("CONTACT")
    assert sight.masked == {"Customer.birthDate", "Profile.birthDate"}, "what is of a refused class as well is refused"


def test_who_sees_some_customers_changes_none_and_sees_no_totals_of_others(rulebook: Rulebook) -> None:
    sight = role(rulebook, customers="country = 'DE'")
    assert sight.refused == WRITES
    assert sight.masked == {"DeadLetters.latest", "Identity.history", "Query.reconciliation"}


def test_a_sight_can_be_a_key(rulebook: Rulebook) -> None:
    one, other = build_sights(rulebook), build_sights(rulebook)
    assert {one["analyst"]: 1}[other["analyst"]] == 1
    assert one["analyst"] != one["agent"]


# customers -----------------------------------------------------------------------------------------------------------
CONDITIONS = [
    pytest.param("country = 'DE'", [1], id="a-field"),
    pytest.param("not country = 'DE'", [2, 3, 5], id="unknown-is-not-otherwise"),
    pytest.param("country = 'DE' or country is null", [1, 4], id="unknown-by-name"),
    pytest.param("country in ('DE', 'AT') and risk_points < 50", [2], id="several"),
    pytest.param("country = 'it''s'", [3], id="a-quote"),
    pytest.param("country = 'a:b%c'", [5], id="a-colon-and-a-percent-sign"),
    pytest.param("country like '%:b%'", [5], id="like"),
    pytest.param("country = 'x'' OR 1=1 --'", [], id="sql-in-a-text"),
    pytest.param("risk_band in ('HIGH', 'CRITICAL') or stage = 'LIVING'", [1, 2], id="words"),
    pytest.param("kind = 'ORGANIZATION'", [3], id="kind"),
    pytest.param("source_stripe", [1, 2], id="known-to-a-source"),
    pytest.param("source_stripe and not source_hubspot", [2], id="known-to-one-and-not-to-another"),
    pytest.param("consent_marketing", [1, 3, 5], id="granted-and-not-taken-back"),
    pytest.param("consent_service", [4], id="another-purpose"),
    pytest.param("consent_marketing and country = 'DE' or source_zendesk", [1, 4], id="all-together"),
]


@pytest.mark.parametrize(("condition", "seen"), CONDITIONS)
def test_a_condition_says_which_customers_there_are(
    people: Store, rulebook: Rulebook, condition: str, seen: list[int]
) -> None:
    sight = role(rulebook, customers=condition)
    chosen, sql = sight.customers(), sight.customers_sql(people.dialect)
    assert chosen is not None
    assert sql is not None
    number = customer_card.c.customer_no
    with people.read() as connection:
        assert sorted(connection.execute(chosen).scalars()) == seen
        assert sorted(connection.execute(select(number).where(number.in_(chosen))).scalars()) == seen
        text_too = f"SELECT customer_no FROM customer_card WHERE customer_no IN ({sql})"  # noqa: S608
        assert sorted(connection.execute(text(text_too)).scalars()) == seen


def test_everybody_is_no_condition(rulebook: Rulebook) -> None:
    sight = role(rulebook)
    assert (sight.customers(), sight.customers_sql("sqlite")) == (None, None)


def test_the_select_says_itself_without_a_database(rulebook: Rulebook) -> None:
    assert "seen.country = 'DE'" in str(role(rulebook, customers="country = 'DE'").customers())


# what a wrong file is told -------------------------------------------------------------------------------------------
WRONG = [
    pytest.param("mask: [MONEY]", "mask: [MONY]", "`MONY` is none of CONTACT, NAME", id="no-class"),
    pytest.param("mask: [MONEY]", "mask: [MONY]", "did you mean `MONEY`?", id="no-class-meant"),
    pytest.param("mask: [MONEY]", "masks: [MONEY]", "did you mean `mask`?", id="no-word"),
    pytest.param("mask: [MONEY]", "mask: [ERASURE]", "`ERASURE` is masked already", id="masked-and-refused"),
    pytest.param("consent_marketing", "consent_marketting", "did you mean `consent_marketing`?", id="no-purpose"),
    pytest.param("consent_marketing", "source_stripes", "did you mean `source_stripe`?", id="no-source"),
    pytest.param("consent_marketing", "land = 'DE'", "`land` is unknown for the customers of a role", id="no-name"),
    pytest.param("consent_marketing", "stage = 'LIVIN'", "did you mean `LIVING`?", id="no-stage"),
    pytest.param("consent_marketing", "country", "a text is no condition", id="no-condition"),
    pytest.param("consent_marketing", "as_of > as_of", "as_of", id="as-of"),
    pytest.param("consent_marketing", "(SELECT 1)", "is not part of the rule language", id="sql"),
    pytest.param("rate: 100/s", "rate: fast", "`fast` is no rate; say requests per time", id="no-rate"),
    pytest.param("concurrent: 8", "concurrent: 0", "greater than or equal to 1", id="none-at-once"),
    pytest.param("hub-agent: agent", "hub-agent: agnet", "`agnet` is no role", id="no-role"),
    pytest.param("hub-agent: agent", "hub-agent: agnet", "did you mean `agent`?", id="no-role-meant"),
    pytest.param(
        "everything.\n", "everything.\n    mask: [NAME] # may do everything.\n", "`admin` sees everything", id="less"
    ),
    pytest.param(
        "max_cost: 20000", "max_cost: 20000\npurposes: [Direct mail]", "cannot be named", id="no-word-purpose"
    ),
    pytest.param("  agent:\n", "  'the agent':\n", "`the agent` is no role's name", id="no-role-name"),
]


@pytest.mark.parametrize(("before", "after", "says"), WRONG)
def test_a_wrong_role_names_its_file_and_line(tmp_path: Path, before: str, after: str, says: str) -> None:
    shutil.copytree(shipped() / "rules", tmp_path / "rules")
    path = tmp_path / "rules" / "access.yml"
    text_ = path.read_text(encoding="utf-8")
    assert before in text_
    path.write_text(text_.replace(before, after), encoding="utf-8")
    with pytest.raises(MappingError) as refused:
        load_rules([tmp_path, shipped()])
    message = str(refused.value)
    assert says in message
    assert "access.yml:" in message
    line = int(message.partition("access.yml:")[2].partition(":")[0])
    assert line > 1


def test_a_file_of_limits_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    limits = "max_depth: 1\nmax_aliases: 1\nmax_tokens: 1\nmax_body_bytes: 1\n"
    (tmp_path / "rules" / "access.yml").write_text(limits, encoding="utf-8")
    rulebook = load_rules([tmp_path, shipped()])
    assert build_sights(rulebook) == {"admin": EVERYTHING}
