"""In: a person or organization. Out: the systems that know them, and how their story stands on the last day."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from connectors.sandbox.organizations import Organization
from connectors.sandbox.people import Person

FAILED_PAYMENT = "failed_payment"  # the last invoice's charges failed, days ago, and nothing was paid since
UNPAID_INVOICE = "unpaid_invoice"  # an invoice is open two to six weeks past its due date
CANCEL_INTENT = "cancel_intent"  # an unsolved ticket of the last twelve days asks to cancel
CASE_OPEN_TOO_LONG = "case_open_too_long"  # a ticket is open since 20–50 days
SILENCE_AFTER_ORDER = "silence_after_order"  # one order 70–150 days ago, then nothing at all in any system
USE_DROPPING = "use_dropping"  # weekly visits for months, at most one in the last five weeks
AGREEMENT_ENDING = "agreement_ending"  # the subscription will end within four weeks and will not renew
ENDED = "ended"  # a former subscriber: cancelled in the past
PLAIN = "plain"  # nothing is wrong; whoever buys was in touch within the last month

PLOT_SHARES = (
    (FAILED_PAYMENT, 0.05),
    (UNPAID_INVOICE, 0.04),
    (CANCEL_INTENT, 0.05),
    (CASE_OPEN_TOO_LONG, 0.05),
    (SILENCE_AFTER_ORDER, 0.06),
    (USE_DROPPING, 0.06),
    (AGREEMENT_ENDING, 0.05),
    (ENDED, 0.08),
)
SECOND_PLOT = {
    FAILED_PAYMENT: CANCEL_INTENT,
    USE_DROPPING: CANCEL_INTENT,
    AGREEMENT_ENDING: USE_DROPPING,
    UNPAID_INVOICE: CASE_OPEN_TOO_LONG,
}
SECOND_PLOT_SHARE = 0.25
SYSTEM_SHARES = {"hubspot": 0.75, "stripe": 0.62, "zendesk": 0.4, "matomo": 0.5}
SUBSCRIBED_SHARE = 0.6
_NEEDS = {
    FAILED_PAYMENT: {"stripe"},
    UNPAID_INVOICE: {"stripe"},
    CANCEL_INTENT: {"stripe", "zendesk"},
    CASE_OPEN_TOO_LONG: {"zendesk"},
    SILENCE_AFTER_ORDER: {"stripe"},
    USE_DROPPING: {"stripe", "matomo"},
    AGREEMENT_ENDING: {"stripe"},
    ENDED: {"stripe"},
    PLAIN: set(),
}


@dataclass(frozen=True)
class Part:
    """What is dealt to one party: plots, systems that know them, and how they buy (subscription, orders, none)."""

    plots: tuple[str, ...]
    systems: frozenset[str]
    buys: str


def deal_person(rng: Random, person: Person) -> Part:
    """Plots and systems of a person; a contact's employer does the buying."""
    systems = {system for system, share in SYSTEM_SHARES.items() if rng.random() < share}
    if person.organization is not None:
        systems.discard("stripe")
        plots = _one_of(rng, ((CASE_OPEN_TOO_LONG, 0.06),))
    else:
        plots = _one_of(rng, PLOT_SHARES)
    for plot in plots:
        systems |= _NEEDS[plot]
    if person.email_shared or person.namesake or not systems:
        systems.add("hubspot")
    return Part(plots, frozenset(systems), _buys(rng, plots, "stripe" in systems))


def deal_organization(rng: Random, organization: Organization) -> Part:
    """Plots of an organization's agreement with us; those without a billing account are prospects."""
    if not organization.billed:
        return Part((PLAIN,), frozenset({"hubspot"}), "none")
    plots = _one_of(rng, ((FAILED_PAYMENT, 0.08), (UNPAID_INVOICE, 0.08), (AGREEMENT_ENDING, 0.08), (ENDED, 0.06)))
    return Part(plots[:1], frozenset({"hubspot", "stripe"}), "subscription")


def _one_of(rng: Random, shares: tuple[tuple[str, float], ...]) -> tuple[str, ...]:
    roll = rng.random()
    for plot, share in shares:
        if roll < share:
            second = SECOND_PLOT.get(plot)
            return (plot, second) if second is not None and rng.random() < SECOND_PLOT_SHARE else (plot,)
        roll -= share
    return (PLAIN,)


def _buys(rng: Random, plots: tuple[str, ...], billed: bool) -> str:
    if not billed:
        return "none"
    if SILENCE_AFTER_ORDER in plots:
        return "orders"
    if plots == (PLAIN,) or plots == (CASE_OPEN_TOO_LONG,):
        return "subscription" if rng.random() < SUBSCRIBED_SHARE else "orders"
    return "subscription"
