"""In: a person's part and account. Out: their visits to the web site, anonymous until they log in on a device."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from connectors.sandbox import plots
from connectors.sandbox.money import Account, Bill
from connectors.sandbox.window import DAY, FIRST, HOUR, LAST_EVENT

SECOND_DEVICE_SHARE = 0.25
NEVER_LOGIN_SHARE = 0.2  # people with visits of whom the web system never learns who they are
LOGGED_IN_SHARE = 0.85  # of visits after the first login on a device
SHOP_PAGES = ("/", "/pricing", "/products/hub-station", "/products/sensor-pair", "/delivery", "/about", "/reviews")
APP_PAGES = ("/app", "/app/devices", "/app/reports", "/app/settings", "/help", "/account/invoices")


@dataclass(frozen=True)
class Visit:
    """One visit: when it began, on which of the person's devices, the pages with their seconds, what was reached."""

    at: int
    device: int
    logged_in: bool
    pages: tuple[tuple[str, int], ...]
    signed_up: bool = False
    order: Bill | None = None
    download: str | None = None
    search: str | None = None

    @property
    def until(self) -> int:
        """When the last page was left."""
        return self.at + sum(spent for _, spent in self.pages)


def pay_visits(
    rng: Random, part: plots.Part, account: Account, began: int, quiet_from: int, known: bool
) -> list[Visit]:
    """All visits of a person, oldest first, none after `quiet_from`; `known` says whether they ever log in."""
    visits = [_visit(rng, max(FIRST, began - rng.randint(HOUR, 30 * DAY)), 0, False) for _ in range(rng.randint(1, 3))]
    if not known:
        return sorted(visits, key=lambda visit: visit.at)
    visits.append(_visit(rng, began - 20 * 60, 0, True, signed_up=True))
    second = rng.random() < SECOND_DEVICE_SHARE
    for turn, at in enumerate(_days_of_use(rng, part, account, began, quiet_from)):
        device = 1 if second and turn % 3 == 1 else 0
        first_there = device == 1 and turn == 1
        visits.append(_visit(rng, at, device, first_there or rng.random() < LOGGED_IN_SHARE))
    visits.extend(
        _visit(rng, bill.at - 900, 0, True, order=bill)
        for bill in account.bills
        if not bill.subscribed and bill.status == "paid"
    )
    if _keeps_in_touch(part, account):
        visits.append(_visit(rng, LAST_EVENT - rng.randint(DAY, 14 * DAY), 0, True))
    return sorted((visit for visit in visits if visit.until <= LAST_EVENT), key=lambda visit: visit.at)


def _keeps_in_touch(part: plots.Part, account: Account) -> bool:
    return plots.SILENCE_AFTER_ORDER not in part.plots and account.agreement is None and bool(account.bills)


def _days_of_use(rng: Random, part: plots.Part, account: Account, began: int, quiet_from: int) -> list[int]:
    if part.buys != "subscription" and account.bills:
        return sorted(rng.randint(began, max(began, quiet_from - HOUR)) for _ in range(rng.randint(0, 3)))
    gap, stop = rng.randint(12, 17), quiet_from
    if plots.USE_DROPPING in part.plots:
        gap, stop = rng.randint(4, 6), quiet_from - rng.randint(33 * DAY, 36 * DAY)
    elif account.agreement is not None and account.agreement.cancelled_at and account.agreement.ended:
        stop = account.agreement.cancelled_at - rng.randint(10 * DAY, 40 * DAY)
    days, at = [], began + rng.randint(HOUR, 6 * DAY)
    while at < stop - HOUR:
        days.append(at)
        at += gap * DAY + rng.randint(-2 * DAY, 2 * DAY) // (2 if gap < 7 else 1)
    if plots.USE_DROPPING in part.plots and rng.random() < 0.5:
        days.append(quiet_from - rng.randint(10 * DAY, 28 * DAY))
    return days


def _visit(
    rng: Random, at: int, device: int, logged_in: bool, *, signed_up: bool = False, order: Bill | None = None
) -> Visit:
    choice = APP_PAGES if logged_in and order is None else SHOP_PAGES
    pages = tuple((rng.choice(choice), rng.randint(5, 140)) for _ in range(rng.choice((1, 1, 2, 2, 3, 4))))
    roll = rng.random()
    return Visit(
        at,
        device,
        logged_in,
        pages,
        signed_up,
        order,
        download="/files/manual.pdf" if roll < 0.02 else None,
        search="battery" if 0.02 <= roll < 0.05 else None,
    )


def stray_visits(rng: Random) -> list[Visit]:
    """One to three visits of somebody who never says who they are."""
    at = rng.randint(FIRST, LAST_EVENT - 10 * DAY)
    return [_visit(rng, at + turn * rng.randint(HOUR, 4 * DAY), 0, False) for turn in range(rng.randint(1, 3))]
