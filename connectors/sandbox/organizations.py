"""In: a seeded random source and how many contacts there are. Out: the invented organizations that employ them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from connectors.sandbox.names import COMPANY_FORMS, COMPANY_STEMS, COMPANY_TRADES

COUNTRIES = ("DE",) * 9 + ("GB",) * 3 + ("US",) * 2 + ("FR", "NL", "AT", "CH", "JP", "KW")
CURRENCY = {"GB": "GBP", "US": "USD", "JP": "JPY", "KW": "KWD"}
BILLING_SHARE = 0.65
SUBSIDIARY_SHARE = 0.06
LARGEST = 8
CITIES_OF_SEAT = ("North", "South", "West", "East", "Mitte", "Hafen")


@dataclass(frozen=True)
class Organization:
    """A company with `size` contacts; `billed` has a billing account of its own."""

    index: int
    id: str
    name: str
    domain: str
    country: str
    currency: str
    size: int
    billed: bool
    parent: int | None
    phone_serial: int


def found_organizations(rng: Random, contacts: int) -> list[Organization]:
    """Companies of 1–8 contacts each until `contacts` people have an employer; domains are distinct."""
    found: list[Organization] = []
    left = contacts
    while left > 0:
        size = min(left, rng.randint(1, LARGEST))
        found.append(_organization(rng, len(found), size, found))
        left -= size
    return found


def _organization(rng: Random, index: int, size: int, elder: list[Organization]) -> Organization:
    name = f"{rng.choice(COMPANY_STEMS)} {rng.choice(COMPANY_TRADES)}"
    if any(other.name.startswith(f"{name} ") for other in elder):
        name = f"{name} {rng.choice(CITIES_OF_SEAT)} {index}"
    owner = rng.choice(elder) if elder and rng.random() < SUBSIDIARY_SHARE else None
    country = rng.choice(COUNTRIES)
    return Organization(
        index=index,
        id=f"organization-{index + 1:05d}",
        name=f"{name} {COMPANY_FORMS[country]}",
        domain=f"{name.lower().replace(' ', '-')}.example",
        country=country,
        currency=CURRENCY.get(country, "EUR"),
        size=size,
        billed=rng.random() < BILLING_SHARE,
        parent=owner.index if owner is not None else None,
        phone_serial=sum(other.country == country for other in elder),
    )
