"""In: a party's part and when it began. Out: its agreement, invoices, payment attempts and refunds."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from connectors.sandbox import plots
from connectors.sandbox.catalogue import GOODS, PLANS, Line, cost_of, price, tax_on
from connectors.sandbox.window import DAY, FIRST, HOUR, LAST_EVENT, add_months

RETRIED_SHARE = 0.04  # invoices whose first charge failed and whose second went through
SENT_SHARE = 0.15  # subscribers who get an invoice instead of being charged
YEARLY_SHARE = 0.12
REFUND_SHARE = 0.03
VOID_SHARE = 0.01
DRAFT_SHARE = 0.02  # active subscribers whose next invoice is being drawn up on the last day
UNCOLLECTIBLE_SHARE = 0.2  # former subscribers who never paid the last one
COST_KNOWN_SHARE = 0.7
FAILURES = (
    ("card_declined", "Your card was declined."),
    ("insufficient_funds", "Your card has insufficient funds."),
    ("expired_card", "Your card has expired."),
)


@dataclass(frozen=True)
class Attempt:
    """One try to collect: succeeded when `failure` is None."""

    at: int
    failure: tuple[str, str] | None


@dataclass(frozen=True)
class Refund:
    """Money given back, tax included."""

    at: int
    amount: int
    reason: str


@dataclass(frozen=True)
class Bill:
    """An invoice. `due` is set for those sent rather than charged; `paid_at` when the money came."""

    at: int
    lines: tuple[Line, ...]
    tax: int
    status: str
    subscribed: bool
    due: int | None
    attempts: tuple[Attempt, ...]
    refunds: tuple[Refund, ...]
    voided_at: int | None = None

    @property
    def net(self) -> int:
        """Sum of the lines, before tax."""
        return sum(line.net for line in self.lines)

    @property
    def total(self) -> int:
        """What the customer owes, tax included."""
        return self.net + self.tax

    @property
    def paid_at(self) -> int | None:
        """When it was paid, if it was."""
        return self.attempts[-1].at if self.status == "paid" else None


@dataclass(frozen=True)
class Agreement:
    """A subscription: its plan, seats and term; `ends` is known when it will not renew, `ended` when it is over."""

    start: int
    plan: str
    months: int
    seats: int
    sent: bool
    status: str
    period_start: int
    period_end: int
    ends: int | None
    cancelled_at: int | None
    ended: int | None


@dataclass(frozen=True)
class Account:
    """Everything one party bought."""

    agreement: Agreement | None
    bills: tuple[Bill, ...]


class Till:
    """Writes the account of one party; holds its dice, country and currency."""

    def __init__(self, rng: Random, country: str, currency: str, seats: int) -> None:
        self._rng, self._country, self._currency, self._seats = rng, country, currency, seats

    def account(self, part: plots.Part) -> Account:
        """The account that fits the part, whole up to the last event of the window."""
        if part.buys == "none":
            return Account(None, ())
        if part.buys == "orders":
            return Account(None, tuple(self._order(at) for at in self._order_days(part)))
        agreement = self._agreement(part)
        bills = self._periods(agreement, part)
        if plots.UNPAID_INVOICE in part.plots:
            bills.append(self._overdue())
        return Account(agreement, tuple(sorted(bills, key=lambda bill: bill.at)))

    def _order_days(self, part: plots.Part) -> list[int]:
        if plots.SILENCE_AFTER_ORDER in part.plots:
            last = LAST_EVENT - self._rng.randint(70 * DAY, 150 * DAY)
        else:
            last = LAST_EVENT - self._rng.randint(22 * DAY, 60 * DAY)
            if "matomo" not in part.systems:  # nobody sees them elsewhere: the order itself is the last touch
                last = LAST_EVENT - self._rng.randint(DAY, 14 * DAY)
        earlier = [self._rng.randint(FIRST + DAY, last - 30 * DAY) for _ in range(self._rng.choice((0, 0, 1, 1, 2, 4)))]
        return sorted([*earlier, last])

    def _agreement(self, part: plots.Part) -> Agreement:
        rng = self._rng
        plan = "Pro" if self._seats > 1 else rng.choice(tuple(PLANS))
        ends = plots.AGREEMENT_ENDING in part.plots
        quick = plots.FAILED_PAYMENT in part.plots
        months = 12 if rng.random() < YEARLY_SHARE and not quick and plots.ENDED not in part.plots else 1
        age = rng.choice((3, 4, 5, 6, 8, 10, 12, 14, 16)) if months == 1 else 12
        anchor = rng.randint(4 * DAY, 12 * DAY) if quick else rng.randint(2 * DAY, 27 * DAY)
        start = add_months(LAST_EVENT - anchor, -age)
        if ends:  # the running period is the last: it is over in 3–26 days
            start = add_months(LAST_EVENT + rng.randint(3 * DAY, 26 * DAY), -max(age, months))
        if plots.ENDED in part.plots:
            start = add_months(LAST_EVENT - rng.randint(2 * DAY, 27 * DAY), -rng.randint(10, 17))
        term = self._term(start, months, part)
        status = "past_due" if quick else "canceled" if term[2] else "active"
        sent = not quick and rng.random() < SENT_SHARE
        return Agreement(
            start,
            plan,
            months,
            self._seats,
            sent,
            status,
            *term[:2],
            ends=term[1] if ends else None,
            cancelled_at=term[3],
            ended=term[2],
        )

    def _term(self, start: int, months: int, part: plots.Part) -> tuple[int, int, int | None, int | None]:
        begun = 0
        limit = LAST_EVENT
        if plots.ENDED in part.plots:
            limit = add_months(start, self._rng.randint(3, 8))
        while add_months(start, begun + months) <= limit:
            begun += months
        begins, ends = add_months(start, begun), add_months(start, begun + months)
        if plots.ENDED in part.plots:
            return begins, ends, ends, begins + self._rng.randint(2 * DAY, 14 * DAY)
        if plots.AGREEMENT_ENDING in part.plots:
            return begins, ends, None, max(begins + HOUR, LAST_EVENT - self._rng.randint(2 * DAY, 20 * DAY))
        return begins, ends, None, None

    def _periods(self, agreement: Agreement, part: plots.Part) -> list[Bill]:
        bills: list[Bill] = []
        month = 0
        while (at := add_months(agreement.start, month)) <= agreement.period_start:
            month += agreement.months
            line = self._plan_line(agreement, at, add_months(agreement.start, month))
            last = at == agreement.period_start
            if at < FIRST:
                continue
            if last and agreement.status == "past_due":
                bills.append(self._failed(at, line))
            elif last and agreement.status == "canceled" and self._rng.random() < UNCOLLECTIBLE_SHARE:
                bills.append(self._given_up(at, line))
            else:
                bills.extend(self._collected(at, line, agreement.sent))
        if agreement.status == "active" and agreement.ends is None and self._rng.random() < DRAFT_SHARE:
            at = LAST_EVENT - self._rng.randint(HOUR, 12 * HOUR)
            line = self._plan_line(agreement, agreement.period_end, add_months(agreement.period_end, agreement.months))
            bills.append(self._bill(at, (line,), "draft", subscribed=True))
        return bills

    def _plan_line(self, agreement: Agreement, start: int, end: int) -> Line:
        months = 10 if agreement.months == 12 else 1
        net = price(PLANS[agreement.plan] * months, self._currency) * agreement.seats
        known = agreement.seats == 1 and self._rng.random() < COST_KNOWN_SHARE
        return Line(agreement.plan, net, agreement.seats, cost_of(agreement.plan, net) if known else None, start, end)

    def _bill(
        self,
        at: int,
        lines: tuple[Line, ...],
        status: str,
        *,
        subscribed: bool,
        due: int | None = None,
        attempts: tuple[Attempt, ...] = (),
        refunds: tuple[Refund, ...] = (),
        voided_at: int | None = None,
    ) -> Bill:
        tax = tax_on(sum(line.net for line in lines), self._country)
        return Bill(at, lines, tax, status, subscribed, due, attempts, refunds, voided_at)

    def _collected(self, at: int, line: Line, sent: bool) -> list[Bill]:
        rng = self._rng
        if sent:
            due, paid = at + 14 * DAY, at + rng.randint(2 * DAY, 12 * DAY)
            if paid > LAST_EVENT:  # not due yet: open, and nothing is wrong
                return [self._bill(at, (line,), "open", subscribed=True, due=due)]
            return [
                self._bill(
                    at,
                    (line,),
                    "paid",
                    subscribed=True,
                    due=due,
                    attempts=(Attempt(paid, None),),
                    refunds=self._refunds(paid, line.net),
                )
            ]
        tries = [Attempt(at + rng.randint(60, HOUR), None)]
        if rng.random() < RETRIED_SHARE and at + 4 * DAY < LAST_EVENT:
            tries = [Attempt(tries[0].at, rng.choice(FAILURES)), Attempt(tries[0].at + 3 * DAY, None)]
        bills = []
        if rng.random() < VOID_SHARE:
            bills.append(self._bill(at - 60, (line,), "void", subscribed=True, voided_at=at))
        refunds = self._refunds(tries[-1].at, line.net)
        return [*bills, self._bill(at, (line,), "paid", subscribed=True, attempts=tuple(tries), refunds=refunds)]

    def _refunds(self, paid: int, net: int) -> tuple[Refund, ...]:
        rng = self._rng
        at = paid + rng.randint(2 * DAY, 20 * DAY)
        if rng.random() >= REFUND_SHARE or at > LAST_EVENT:
            return ()
        step = 10 if self._currency in ("JPY", "KWD") else 1
        whole = net + tax_on(net, self._country)
        amount = whole if rng.random() < 0.4 else max(step, whole * rng.randint(10, 60) // 100 // step * step)
        return (Refund(at, amount, rng.choice(("requested_by_customer", "duplicate"))),)

    def _failed(self, at: int, line: Line) -> Bill:
        failure = self._rng.choice(FAILURES)
        attempts = tuple(Attempt(at + HOUR + wait * DAY, failure) for wait in (0, 3))
        return self._bill(at, (line,), "open", subscribed=True, attempts=attempts)

    def _given_up(self, at: int, line: Line) -> Bill:
        failure = self._rng.choice(FAILURES)
        attempts = tuple(Attempt(at + HOUR + wait * DAY, failure) for wait in (0, 3, 6))
        return self._bill(at, (line,), "uncollectible", subscribed=True, attempts=attempts)

    def _goods(self, at: int) -> tuple[Line, ...]:
        picked = self._rng.sample(tuple(GOODS), self._rng.choice((1, 1, 2, 3)))
        lines = []
        for product in picked:
            net = price(GOODS[product], self._currency)
            known = self._rng.random() < COST_KNOWN_SHARE
            lines.append(Line(product, net, 1, cost_of(product, net) if known else None, at, at))
        return tuple(lines)

    def _order(self, at: int) -> Bill:
        lines = self._goods(at)
        paid = at + self._rng.randint(30, 300)
        net = sum(line.net for line in lines)
        # A refund would be a touch after the order; those who fell silent got none.
        refunds = self._refunds(paid, net) if at > LAST_EVENT - 60 * DAY else ()
        return self._bill(at, lines, "paid", subscribed=False, attempts=(Attempt(paid, None),), refunds=refunds)

    def _overdue(self) -> Bill:
        due = LAST_EVENT - self._rng.randint(14 * DAY, 42 * DAY)
        at = due - 14 * DAY
        return self._bill(at, self._goods(at), "open", subscribed=False, due=due)
