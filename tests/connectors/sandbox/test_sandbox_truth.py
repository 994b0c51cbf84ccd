"""The truth agrees with the records: profiles exist, money adds up, plots can be seen, people can be found."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from typing import Any

import msgspec
import phonenumbers
import pytest

from connectors.sandbox import noise
from connectors.sandbox.company import Company, generate
from connectors.sandbox.truth import TruthOrganization, TruthPerson
from connectors.sandbox.window import DAY, LAST_EVENT, seconds


def parties(company: Company) -> list[TruthPerson | TruthOrganization]:
    return [*company.truth.persons, *company.truth.organizations]


def keys_of(company: Company, system: str, stream: str) -> set[str]:
    if stream == "visitors":
        return {visit["visitorId"] for visit in company.records["matomo"]["visits"]}
    return {str(record["id"]) for record in company.records[system][stream]}


PROFILES = [
    ("hubspot", "contacts"),
    ("hubspot", "companies"),
    ("stripe", "customers"),
    ("zendesk", "users"),
    ("matomo", "visitors"),
]


@pytest.mark.parametrize(("system", "stream"), PROFILES, ids=[stream for _, stream in PROFILES])
def test_every_profile_has_exactly_one_owner_or_is_nobody(company: Company, system: str, stream: str) -> None:
    truth = company.truth
    owned = [
        ref.key for party in parties(company) for ref in party.profiles if (ref.system, ref.stream) == (system, stream)
    ]
    assert len(owned) == len(set(owned))
    nobody = set(truth.anonymous_visitors) if stream == "visitors" else set()
    agents = {str(user["id"]) for user in company.records["zendesk"]["users"] if user["role"] != "end-user"}
    assert keys_of(company, system, stream) == set(owned) | nobody | (agents if stream == "users" else set())
    assert not set(owned) & (nobody | agents)


def test_anonymous_visitors_never_log_in_and_all_others_do(company: Company) -> None:
    logged_in = {visit["visitorId"] for visit in company.records["matomo"]["visits"] if visit["userId"] is not None}
    assert logged_in == keys_of(company, "matomo", "visitors") - set(company.truth.anonymous_visitors)


def test_everybody_is_in_one_to_four_systems(company: Company) -> None:
    systems = Counter(len({ref.system for ref in person.profiles}) for person in company.truth.persons)
    assert sorted(systems) == [1, 2, 3, 4]


def sums(records: list[dict[str, Any]], field: str, statuses: set[str]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for record in records:
        if record["status"] in statuses:
            found[record["currency"].upper()] += record[field]
    return dict(found)


REVENUE = {"open", "paid", "uncollectible"}
MONEY = [
    ("invoices", "invoices", "total_excluding_tax", REVENUE),
    ("tax", "invoices", "tax", REVENUE),
    ("refunds", "refunds", "amount", {"succeeded"}),
    ("charges", "charges", "amount", {"succeeded"}),
]


@pytest.mark.parametrize(("name", "stream", "field", "statuses"), MONEY, ids=[row[0] for row in MONEY])
def test_money_equals_the_sum_over_the_records(
    company: Company, name: str, stream: str, field: str, statuses: set[str]
) -> None:
    expected = {currency: minor for (_, of, currency), minor in company.truth.money.items() if of == name}
    assert sums(company.records["stripe"][stream], field, statuses) == expected


def test_all_currencies_occur_and_dinars_come_in_tens(company: Company) -> None:
    invoices = company.records["stripe"]["invoices"]
    assert {invoice["currency"] for invoice in invoices} == {"eur", "gbp", "usd", "jpy", "kwd"}
    assert [i["total"] for i in invoices if i["currency"] == "kwd" and i["total"] % 10] == []


def test_invoices_charges_and_refunds_hang_together(company: Company) -> None:
    streams = company.records["stripe"]
    charges = {charge["id"]: charge for charge in streams["charges"]}
    for invoice in streams["invoices"]:
        assert invoice["subtotal"] == sum(line["amount"] for line in invoice["lines"]["data"])
        assert invoice["total"] == invoice["subtotal"] + invoice["tax"]
        paid = [c for c in charges.values() if c["invoice"] == invoice["id"] and c["paid"]]
        assert len(paid) == (invoice["status"] == "paid")
    for refund in streams["refunds"]:
        assert 0 < refund["amount"] <= charges[refund["charge"]]["amount"]
        assert refund["created"] > charges[refund["charge"]]["created"]


def customers_with(company: Company, plot: str) -> list[set[str]]:
    stories = company.truth.stories
    return [{ref.key for ref in party.profiles} for party in parties(company) if plot in stories[party.id]]


def past_due(company: Company) -> set[str]:
    return {s["customer"] for s in company.records["stripe"]["subscriptions"] if s["status"] == "past_due"}


def overdue(company: Company) -> set[str]:
    return {
        i["customer"]
        for i in company.records["stripe"]["invoices"]
        if i["status"] == "open" and (i["due_date"] or LAST_EVENT) < LAST_EVENT
    }


def ending(company: Company) -> set[str]:
    return {
        s["customer"]
        for s in company.records["stripe"]["subscriptions"]
        if s["cancel_at_period_end"] and LAST_EVENT < s["current_period_end"] < LAST_EVENT + 28 * DAY
    }


def asking_to_cancel(company: Company) -> set[str]:
    return {
        str(t["requester_id"])
        for t in company.records["zendesk"]["tickets"]
        if t["status"] == "open" and re.search(r"kündig|cancel", t["description"], re.I)
    }


def long_open(company: Company) -> set[str]:
    return {
        str(t["requester_id"])
        for t in company.records["zendesk"]["tickets"]
        if t["status"] == "open" and t["created_at"] < seconds(LAST_EVENT - 18 * DAY)
    }


SEEN = [
    ("failed_payment", past_due),
    ("unpaid_invoice", overdue),
    ("agreement_ending", ending),
    ("cancel_intent", asking_to_cancel),
    ("case_open_too_long", long_open),
]


@pytest.mark.parametrize(("plot", "seen"), SEEN, ids=[plot for plot, _ in SEEN])
def test_a_plot_can_be_seen_in_the_records_and_only_where_it_was_dealt(company: Company, plot: str, seen: Any) -> None:
    dealt, found = customers_with(company, plot), seen(company)
    assert len(dealt) >= 3
    assert all(profiles & found for profiles in dealt)
    assert found == {key for profiles in dealt for key in profiles & found}


def last_touches(company: Company) -> dict[str, int]:
    touches: dict[str, int] = {}
    for visit in company.records["matomo"]["visits"]:
        touches[visit["visitorId"]] = max(touches.get(visit["visitorId"], 0), visit["serverTimestamp"])
    for invoice in company.records["stripe"]["invoices"]:
        touches[invoice["customer"]] = max(touches.get(invoice["customer"], 0), invoice["created"])
    return touches


def test_the_silent_are_silent_everywhere_and_plain_buyers_are_not(company: Company) -> None:
    touches, tickets = last_touches(company), company.records["zendesk"]["tickets"]
    for profiles in customers_with(company, "silence_after_order"):
        assert max(touches.get(key, 0) for key in profiles) < LAST_EVENT - 69 * DAY
        theirs = [ticket for ticket in tickets if str(ticket["requester_id"]) in profiles]
        assert not [ticket for ticket in theirs if ticket["updated_at"] > seconds(LAST_EVENT - 69 * DAY)]
    buyers = {invoice["customer"] for invoice in company.records["stripe"]["invoices"]}
    for profiles in customers_with(company, "plain"):
        if profiles & buyers:
            assert max(touches.get(key, 0) for key in profiles) > LAST_EVENT - 32 * DAY


def test_dropping_use_is_weekly_first_and_almost_nothing_in_the_last_month(company: Company) -> None:
    visits: dict[str, list[int]] = {}
    for visit in company.records["matomo"]["visits"]:
        visits.setdefault(visit["visitorId"], []).append(visit["serverTimestamp"])
    dealt = customers_with(company, "use_dropping")
    assert len(dealt) >= 3
    for profiles in dealt:
        times = [at for key in profiles for at in visits.get(key, [])]
        assert sum(at > LAST_EVENT - 30 * DAY for at in times) <= 1
        assert sum(LAST_EVENT - 90 * DAY < at < LAST_EVENT - 33 * DAY for at in times) >= 7


def identifiers(company: Company) -> dict[str, set[str]]:
    """Per profile what an exact key could join on; the same key on both sides is what a hub may use."""
    found: dict[str, set[str]] = {}
    for record in company.records["hubspot"]["contacts"]:
        held = record["properties"]
        emails = [held["email"], *(held["hs_additional_emails"] or "").split(";")]
        phones = [phone(held[name], held["country"]) for name in ("phone", "mobilephone")]
        found[record["id"]] = {f"crm:{record['id']}", *map(plain, emails), *phones}
    for record in company.records["hubspot"]["companies"]:
        held = record["properties"]
        found[record["id"]] = {f"crm:{record['id']}", f"domain:{held['domain']}", phone(held["phone"], held["country"])}
    for record in company.records["stripe"]["customers"]:
        domain = (record["email"] or "").partition("@")[2] if record["metadata"].get("type") == "business" else ""
        found[record["id"]] = {
            f"crm:{record['metadata'].get('hubspot_id')}",
            plain(record["email"]),
            f"domain:{domain}",
            phone(record["phone"], record["address"]["country"]),
        }
    for record in company.records["zendesk"]["users"]:
        names = {f"crm:{record['external_id']}", plain(record["email"]), phone(record["phone"], "DE")}
        found[str(record["id"])] = names
    for visit in company.records["matomo"]["visits"]:
        login = visit["userId"] or ""
        key = f"crm:{login[4:]}" if login.startswith("crm-") else plain(login)
        found.setdefault(visit["visitorId"], set()).add(key)
    return {key: {name for name in names if name and not name.endswith((":", "None"))} for key, names in found.items()}


def plain(email: str | None) -> str:
    local, _, domain = (email or "").lower().partition("@")
    return "" if email in noise.JUNK_EMAILS else f"{local.partition('+')[0]}@{domain}" if domain else ""


def phone(text: str | None, country: str) -> str:
    try:
        parsed = phonenumbers.parse(text or "", country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def test_exact_keys_can_find_nearly_all_pairs_so_that_recall_is_a_fair_demand(company: Company) -> None:
    known = identifiers(company)
    pairs = found = 0
    for party in parties(company):
        groups = [({ref.key}, set(known[ref.key])) for ref in party.profiles]
        for _ in party.profiles:
            for one, other in combinations(groups, 2):
                if one[1] & other[1]:
                    groups = [group for group in groups if group not in (one, other)]
                    groups.append((one[0] | other[0], one[1] | other[1]))
                    break
        pairs += len(party.profiles) * (len(party.profiles) - 1) // 2
        found += sum(len(keys) * (len(keys) - 1) // 2 for keys, _ in groups)
    assert 0.90 <= found / pairs < 0.999


def test_a_shared_key_alone_joins_strangers_so_that_precision_is_earned(company: Company) -> None:
    known = identifiers(company)
    owner = {ref.key: party.id for party in parties(company) for ref in party.profiles}
    right = wrong = 0
    for one, other in combinations(sorted(owner), 2):
        if known[one] & known[other]:
            right, wrong = right + (owner[one] == owner[other]), wrong + (owner[one] != owner[other])
    assert 0.80 < right / (right + wrong) < 0.985


def test_truth_as_json_holds_the_same(company: Company, tmp_path: Any) -> None:
    company.write(tmp_path / "truth.json")
    read = msgspec.json.decode((tmp_path / "truth.json").read_bytes())
    assert len(read["persons"]) == len(company.truth.persons) == 400
    assert read["persons"][0]["profiles"] == [list(ref) for ref in company.truth.persons[0].profiles]
    assert {(m["system"], m["stream"], m["currency"]): m["minor"] for m in read["money"]} == company.truth.money


def test_a_quarter_are_contacts_of_small_organizations(company: Company) -> None:
    sizes = Counter(organization for _, organization in company.truth.memberships)
    assert sum(sizes.values()) == 100
    assert set(sizes.values()) <= set(range(1, 9))
    assert any(o.parent_id for o in generate(1000).truth.organizations)
