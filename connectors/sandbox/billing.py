"""In: the stories. Out: customers, subscriptions, invoices, charges, refunds as in Stripe's API of 2024-06-20."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connectors.sandbox import noise
from connectors.sandbox.catalogue import PLANS, Line, fee_on, price
from connectors.sandbox.clerk import Clerk
from connectors.sandbox.crm import CrmBooks
from connectors.sandbox.money import Account, Agreement, Attempt, Bill, Refund
from connectors.sandbox.names import CITIES, STREETS
from connectors.sandbox.organizations import Organization
from connectors.sandbox.story import OrganizationStory, PersonStory
from connectors.sandbox.truth import ProfileRef

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
STREAMS = ("customers", "subscriptions", "invoices", "charges", "refunds")
BOUGHT_FROM = ("open", "paid", "uncollectible")  # the invoices that are revenue

Record = dict[str, Any]


@dataclass
class BillingBooks:
    """Records by stream, profiles by party id, and the control sums of the truth in minor units."""

    streams: dict[str, list[Record]] = field(default_factory=lambda: {name: [] for name in STREAMS})
    profiles: dict[str, list[ProfileRef]] = field(default_factory=dict)
    money: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def count(self, stream: str, currency: str, minor: int) -> None:
        """Add to the control sum of a stream and currency."""
        key = ("stripe", stream, currency)
        self.money[key] = self.money.get(key, 0) + minor


def write_billing(
    seed: int, people: Sequence[PersonStory], organizations: Sequence[OrganizationStory], crm: CrmBooks
) -> BillingBooks:
    """Accounts of all people and organizations that billing knows; some people have two."""
    biller = _Biller(Random(seed * 31 + 2), crm)
    for story in people:
        if "stripe" in story.part.systems:
            biller.person(story)
    for told in organizations:
        if told.organization.billed:
            biller.organization(told)
    return biller.books


class _Biller:
    def __init__(self, rng: Random, crm: CrmBooks) -> None:
        self._rng, self._crm = rng, crm
        self._clerk = Clerk(rng, unique_emails=False)
        self.books = BillingBooks()

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{''.join(self._rng.choices(_ALPHABET, k=14))}"

    def person(self, story: PersonStory) -> None:
        accounts = [self._person_account(story)]
        if self._rng.random() < noise.SECOND_ACCOUNT_SHARE:
            accounts.append(self._person_account(story))
        self._bills(accounts[0], accounts[-1], story.account, story.person.currency)

    def _person_account(self, story: PersonStory) -> str:
        person, held = story.person, self._clerk.write(story.person)
        known_as = self._crm.contact_ids.get(person.index)
        carries = self._rng.random() < noise.EXTERNAL_ID_SHARE
        return self._customer(
            person.id,
            held.full_name,
            held.email,
            held.phone,
            person.country,
            story.began,
            [person.language],
            {"hubspot_id": known_as} if known_as is not None and carries else {},
        )

    def organization(self, told: OrganizationStory) -> None:
        organization: Organization = told.organization
        rng = self._rng
        name = organization.name if rng.random() < 0.8 else organization.name.rsplit(" ", 1)[0]
        email = f"{rng.choice(('billing', 'billing', 'info', 'accounts'))}@{organization.domain}"
        metadata = {"type": "business"}
        if rng.random() < 0.8:
            metadata["hubspot_id"] = self._crm.company_ids[organization.index]
        phone = noise.phone_as_written(
            rng, noise.phone_number(organization.country, organization.phone_serial), organization.country
        )
        key = self._customer(
            organization.id,
            name,
            email,
            phone if rng.random() < 0.6 else None,
            organization.country,
            told.began,
            [],
            metadata,
        )
        self._bills(key, key, told.account, organization.currency)

    def _customer(
        self,
        owner: str,
        name: str | None,
        email: str | None,
        phone: str | None,
        country: str,
        created: int,
        locales: list[str],
        metadata: dict[str, str],
    ) -> str:
        key = self._id("cus")
        self.books.profiles.setdefault(owner, []).append(ProfileRef("stripe", "customers", key))
        line = f"{STREETS[country]} {self._rng.randint(1, 180)}"
        self.books.streams["customers"].append(
            {
                "id": key,
                "object": "customer",
                "name": name,
                "email": email,
                "phone": phone,
                "address": {
                    "line1": line,
                    "line2": None,
                    "city": CITIES[country],
                    "state": None,
                    "country": country,
                    "postal_code": f"{self._rng.randint(10000, 99999)}",
                },
                "balance": 0,
                "created": created,
                "currency": None,
                "delinquent": False,
                "description": None,
                "livemode": False,
                "metadata": metadata,
                "preferred_locales": locales,
                "tax_exempt": "none",
            }
        )
        return key

    def _bills(self, customer: str, order_customer: str, account: Account, currency: str) -> None:
        subscription = self._subscription(customer, account.agreement, currency) if account.agreement else None
        for bill in account.bills:
            owner = customer if bill.subscribed else order_customer
            self._invoice(owner, subscription if bill.subscribed else None, bill, currency)

    def _subscription(self, customer: str, agreement: Agreement, currency: str) -> str:
        key = self._id("sub")
        yearly = agreement.months == 12
        unit = price(PLANS[agreement.plan] * (10 if yearly else 1), currency)
        item = {
            "id": self._id("si"),
            "object": "subscription_item",
            "quantity": agreement.seats,
            "subscription": key,
            "price": {
                "id": f"price_{agreement.plan.lower()}_{currency.lower()}_{agreement.months}",
                "object": "price",
                "currency": currency.lower(),
                "nickname": agreement.plan,
                "unit_amount": unit,
                "recurring": {"interval": "year" if yearly else "month", "interval_count": 1},
            },
        }
        self.books.streams["subscriptions"].append(
            {
                "id": key,
                "object": "subscription",
                "customer": customer,
                "status": agreement.status,
                "created": agreement.start,
                "start_date": agreement.start,
                "current_period_start": agreement.period_start,
                "current_period_end": agreement.period_end,
                "cancel_at": agreement.ends,
                "cancel_at_period_end": agreement.ends is not None,
                "canceled_at": agreement.cancelled_at,
                "ended_at": agreement.ended,
                "trial_end": None,
                "collection_method": "send_invoice" if agreement.sent else "charge_automatically",
                "currency": currency.lower(),
                "quantity": agreement.seats,
                "livemode": False,
                "metadata": {},
                "items": {
                    "object": "list",
                    "data": [item],
                    "has_more": False,
                    "total_count": 1,
                    "url": f"/v1/subscription_items?subscription={key}",
                },
            }
        )
        return key

    def _invoice(self, customer: str, subscription: str | None, bill: Bill, currency: str) -> None:
        key = self._id("in")
        serial = len(self.books.streams["invoices"]) + 1
        charges = [self._charge(customer, key, attempt, bill.total, currency) for attempt in bill.attempts]
        for refund in bill.refunds:
            self._refund(charges[-1], refund, currency)
        paid = bill.total if bill.status == "paid" else 0
        owed = 0 if bill.status == "void" else bill.total - paid
        self.books.streams["invoices"].append(
            {
                "id": key,
                "object": "invoice",
                "number": None if bill.status == "draft" else f"HUB-{serial:06d}",
                "customer": customer,
                "subscription": subscription,
                "charge": charges[-1]["id"] if charges else None,
                "billing_reason": "subscription_cycle" if bill.subscribed else "manual",
                "status": bill.status,
                "created": bill.at,
                "due_date": bill.due,
                "collection_method": "charge_automatically" if bill.due is None else "send_invoice",
                "status_transitions": {
                    "finalized_at": None if bill.status == "draft" else bill.at,
                    "paid_at": bill.paid_at,
                    "voided_at": bill.voided_at,
                    "marked_uncollectible_at": None,
                },
                "currency": currency.lower(),
                "subtotal": bill.net,
                "tax": bill.tax,
                "total": bill.total,
                "total_excluding_tax": bill.net,
                "amount_due": bill.total,
                "amount_paid": paid,
                "amount_remaining": owed,
                "attempt_count": len(charges),
                "attempted": bool(charges),
                "paid": bill.status == "paid",
                "period_start": bill.lines[0].start,
                "period_end": bill.lines[0].end,
                "hosted_invoice_url": f"https://invoices.billing.example/i/{key}",
                "livemode": False,
                "metadata": {},
                "lines": {
                    "object": "list",
                    "data": [self._line(line, currency) for line in bill.lines],
                    "has_more": False,
                    "total_count": len(bill.lines),
                    "url": f"/v1/invoices/{key}/lines",
                },
            }
        )
        if bill.status in BOUGHT_FROM:
            self.books.count("invoices", currency, bill.net)
            self.books.count("tax", currency, bill.tax)

    def _line(self, line: Line, currency: str) -> Record:
        return {
            "id": self._id("il"),
            "object": "line_item",
            "amount": line.net,
            "amount_excluding_tax": line.net,
            "currency": currency.lower(),
            "description": f"{line.quantity} × {line.product}",
            "quantity": line.quantity,
            "period": {"start": line.start, "end": line.end},
            "metadata": {} if line.cost is None else {"unit_cost": str(line.cost)},
        }

    def _charge(self, customer: str, invoice: str, attempt: Attempt, amount: int, currency: str) -> Record:
        key = self._id("ch")
        transaction = None
        if attempt.failure is None:
            fee = fee_on(amount, currency)
            transaction = {
                "id": self._id("txn"),
                "object": "balance_transaction",
                "amount": amount,
                "fee": fee,
                "net": amount - fee,
                "currency": currency.lower(),
                "created": attempt.at,
                "source": key,
                "status": "available",
                "type": "charge",
            }
            self.books.count("charges", currency, amount)
            self.books.count("fees", currency, fee)
        code, message = attempt.failure or (None, None)
        charge: Record = {
            "id": key,
            "object": "charge",
            "amount": amount,
            "amount_captured": 0 if attempt.failure else amount,
            "amount_refunded": 0,
            "balance_transaction": transaction,
            "captured": attempt.failure is None,
            "created": attempt.at,
            "currency": currency.lower(),
            "customer": customer,
            "description": None,
            "failure_code": code,
            "failure_message": message,
            "invoice": invoice,
            "livemode": False,
            "metadata": {},
            "paid": attempt.failure is None,
            "refunded": False,
            "status": "failed" if attempt.failure else "succeeded",
        }
        self.books.streams["charges"].append(charge)
        return charge

    def _refund(self, charge: Record, refund: Refund, currency: str) -> None:
        charge["amount_refunded"] += refund.amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.books.streams["refunds"].append(
            {
                "id": self._id("re"),
                "object": "refund",
                "amount": refund.amount,
                "charge": charge["id"],
                "created": refund.at,
                "currency": currency.lower(),
                "metadata": {},
                "reason": refund.reason,
                "status": "succeeded",
            }
        )
        self.books.count("refunds", currency, refund.amount)
