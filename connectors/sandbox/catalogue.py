"""In: a product and a currency. Out: prices, tax, costs and payment fees in whole minor units of that currency."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

PLANS = {"Basic": 900, "Plus": 2900, "Pro": 9900}  # euro cents a month; a year costs ten months
GOODS = {
    "Starter Kit": 4900,
    "Sensor Pair": 7900,
    "Wall Mount": 1900,
    "Travel Case": 3400,
    "Hub Station": 17900,
    "Spare Battery": 2200,
    "Workshop Day": 48000,
}
COST_SHARE = {
    "Starter Kit": 41,
    "Sensor Pair": 38,
    "Wall Mount": 22,
    "Travel Case": 35,
    "Hub Station": 52,
    "Spare Battery": 30,
    "Workshop Day": 60,
    "Basic": 12,
    "Plus": 9,
    "Pro": 7,
}  # percent of the net price
_RATE = {
    "EUR": Fraction(1),
    "GBP": Fraction(86, 100),
    "USD": Fraction(108, 100),
    "JPY": Fraction(16, 10),
    "KWD": Fraction(33, 10),
}  # minor units for a euro cent
_STEP = {"JPY": 10, "KWD": 10}  # billing takes three-decimal amounts only in tens
_TAX = {"DE": 190, "AT": 200, "FR": 200, "NL": 210, "GB": 200, "US": 80, "CH": 81, "JP": 100, "KW": 0}  # per mille
_FEE = {"EUR": (15, 25), "GBP": (15, 20), "USD": (29, 30), "JPY": (36, 0), "KWD": (29, 100)}  # per mille, fixed


@dataclass(frozen=True)
class Line:
    """One position of an invoice: net amount and, where we know it, our cost, both for the whole line."""

    product: str
    net: int
    quantity: int
    cost: int | None
    start: int
    end: int


def price(euro_cents: int, currency: str) -> int:
    """The list price in minor units of the currency."""
    step = _STEP.get(currency, 1)
    return int(euro_cents * _RATE[currency]) // step * step


def tax_on(net: int, country: str) -> int:
    """Sales tax or VAT on a net amount, rounded down to the minor unit."""
    return net * _TAX[country] // 1000


def cost_of(product: str, net: int) -> int:
    """What the product cost us, in the same minor units."""
    return net * COST_SHARE[product] // 100


def fee_on(amount: int, currency: str) -> int:
    """The payment fee on a charge, in the charge's minor units."""
    per_mille, fixed = _FEE[currency]
    return amount * per_mille // 1000 + fixed


def decimal(minor: int, currency: str) -> str:
    """The amount in major units as a decimal string with the currency's own decimals, as a CRM writes it."""
    digits = {"JPY": 0, "KWD": 3}.get(currency, 2)
    if digits == 0:
        return str(minor)
    return f"{minor // 10**digits}.{minor % 10**digits:0{digits}d}"
