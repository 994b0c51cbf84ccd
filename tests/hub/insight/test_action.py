"""When an action may be taken: windows in working hours, over weekends and changes of the clock, and consent."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from hub.expression import ExpressionError
from hub.insight.action import window
from hub.store.engine import Store
from mappings.rulebook import Rulebook
from tests.hub.insight.dealt import Dealt, assess, due_at
from tests.hub.insight.told import day

ZONE = "Europe/Berlin"


def _at(local: str) -> int:
    return round(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(ZONE)).timestamp()) * 1_000_000


def _local(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M")


WINDOWS: dict[str, tuple[str, str, str, str]] = {
    # raised at (local), within, opens, closes
    "in working hours": ("2025-06-04 10:30", "2d", "2025-06-04 10:30", "2025-06-06 10:30"),
    "the first minute": ("2025-06-04 08:00", "1d", "2025-06-04 08:00", "2025-06-05 08:00"),
    "the last minute": ("2025-06-04 17:59", "1d", "2025-06-04 17:59", "2025-06-05 17:59"),
    "after work": ("2025-06-04 18:00", "1d", "2025-06-05 08:00", "2025-06-06 08:00"),
    "before work": ("2025-06-04 03:00", "1d", "2025-06-04 08:00", "2025-06-05 08:00"),
    "friday evening": ("2025-06-06 19:00", "1d", "2025-06-09 08:00", "2025-06-10 08:00"),
    "saturday": ("2025-06-07 12:00", "1d", "2025-06-09 08:00", "2025-06-10 08:00"),
    "sunday before work": ("2025-06-08 05:00", "1d", "2025-06-09 08:00", "2025-06-10 08:00"),
    "days over a weekend": ("2025-06-06 11:00", "1d", "2025-06-06 11:00", "2025-06-09 11:00"),
    "a week is five working days": ("2025-06-04 11:00", "1w", "2025-06-04 11:00", "2025-06-11 11:00"),
    "hours": ("2025-06-04 11:00", "4h", "2025-06-04 11:00", "2025-06-04 15:00"),
    "hours past the end of work": ("2025-06-06 16:00", "4h", "2025-06-06 16:00", "2025-06-09 08:00"),
    "minutes": ("2025-06-04 11:00", "90m", "2025-06-04 11:00", "2025-06-04 12:30"),
    "over the spring change": ("2025-03-28 11:00", "1d", "2025-03-28 11:00", "2025-03-31 11:00"),
    "raised in the hour that is not": ("2025-03-30 02:30", "1d", "2025-03-31 08:00", "2025-04-01 08:00"),
    "over the autumn change": ("2025-10-24 18:30", "2d", "2025-10-27 08:00", "2025-10-29 08:00"),
}


@pytest.mark.parametrize(("raised", "within", "opens", "closes"), WINDOWS.values(), ids=WINDOWS)
def test_a_window_opens_and_closes_in_working_hours(raised: str, within: str, opens: str, closes: str) -> None:
    not_before, not_after = window(_at(raised), within, ZONE)
    assert (_local(not_before), _local(not_after)) == (opens, closes)


def test_a_window_is_told_to_the_microsecond() -> None:
    at = _at("2025-06-04 10:30") + 7
    assert window(at, "4h", ZONE) == (at, at + 4 * 3_600_000_000)


def test_the_same_instant_is_another_window_in_another_time_zone() -> None:
    at = _at("2025-06-04 10:30")
    assert window(at, "1d", "America/New_York")[0] == at + int(3.5 * 3_600_000_000)


@pytest.mark.parametrize("within", ["soon", "", "2 d", "-1d"])
def test_a_window_without_a_length_is_refused(within: str) -> None:
    with pytest.raises(ExpressionError, match="write 30d, 12h, 2w or 90m"):
        window(0, within, ZONE)


def _call(rulebook: Rulebook, default: dict[str, bool], channel: str = "PHONE") -> Rulebook:
    """The shipped rules, with a failed payment answered on the channel, and these defaults."""
    rule = rulebook.risk.rules["failed_payment"]
    rule = rule.model_copy(update={"action": rule.action.model_copy(update={"channel": channel})})
    risk = rulebook.risk.model_copy(update={"rules": {"failed_payment": rule}})
    return rulebook.model_copy(
        update={"risk": risk, "consent": rulebook.consent.model_copy(update={"default": default})}
    )


CONSENT: dict[str, tuple[list[tuple[str, bool, float]], dict[str, bool], bool | None, str | None]] = {
    # decisions (channel, granted, day), defaults, contactable, blocked by
    "allowed by default": ([], {"PHONE": True}, True, None),
    "not allowed by default": (
        [], {"PHONE": False}, False, "The company's default does not allow PHONE for marketing.",
    ),
    "nobody knows": ([], {}, None, "It is not known whether PHONE may be used for marketing."),
    "yes outranks the default": ([("PHONE", True, 1)], {"PHONE": False}, True, None),
    "no outranks the default": (
        [("PHONE", False, 1)], {"PHONE": True}, False, "The customer does not allow PHONE for marketing.",
    ),
    "the last word counts": ([("PHONE", False, 1), ("PHONE", True, 2)], {}, True, None),
    "also where it is a no": (
        [("PHONE", True, 1), ("PHONE", False, 2)], {}, False, "The customer does not allow PHONE for marketing.",
    ),
    "what comes later does not count yet": ([("PHONE", False, 150)], {"PHONE": True}, True, None),
    "another channel is another matter": ([("EMAIL", False, 1)], {"PHONE": True}, True, None),
}  # fmt: skip


@pytest.mark.parametrize(("decisions", "default", "contactable", "blocked"), CONSENT.values(), ids=CONSENT)
def test_consent_decides_whether_a_customer_may_be_contacted(
    store: Store,
    rulebook: Rulebook,
    decisions: list[tuple[str, bool, float]],
    default: dict[str, bool],
    contactable: bool | None,
    blocked: str | None,
) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.contact(world.profile(customer), "PHONE", "+493012345678")
        world.touch(customer, "payment.failed", day(100), "BRAND")
        for channel, granted, at in decisions:
            world.consent(customer, channel, granted, day(at))
        assess(connection, _call(rulebook, default), day(101), customer)
        flag = connection.execute(text("SELECT contactable, action_blocked_by FROM risk_flag")).one()
    assert (None if flag.contactable is None else bool(flag.contactable), flag.action_blocked_by) == (
        contactable,
        blocked,
    )


def test_a_decision_for_another_purpose_does_not_count(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        world.consent(customer, "PHONE", True, day(1), purpose="research")
        assess(connection, _call(rulebook, {"PHONE": False}), day(101), customer)
        assert not connection.scalar(text("SELECT contactable FROM risk_flag"))


def test_consent_that_begins_later_makes_the_customer_due_then(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        world.consent(customer, "PHONE", True, day(110))
        assess(connection, _call(rulebook, {"PHONE": False}), day(101), customer)
        assert due_at(connection, customer) == day(110)


@pytest.mark.parametrize(
    ("channel", "blocked"),
    [("PHONE", "No phone number is on record."), ("EMAIL", "No e-mail address is on record."), ("SUPPORT", None)],
)
def test_without_an_address_there_is_nothing_to_do_on_the_channel(
    store: Store, rulebook: Rulebook, channel: str, blocked: str | None
) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        customer = world.customer()
        world.touch(customer, "payment.failed", day(100), "BRAND")
        assess(connection, _call(rulebook, {channel: True}, channel), day(101), customer)
        assert connection.scalar(text("SELECT action_blocked_by FROM risk_flag")) == blocked


def test_an_organization_is_reached_through_its_people(store: Store, rulebook: Rulebook) -> None:
    with store.write() as connection:
        world = Dealt(connection)
        firm, person = world.customer("ORGANIZATION"), world.customer()
        world.joins(person, firm)
        world.contact(world.profile(person), "PHONE", "+493012345678")
        world.touch(firm, "payment.failed", day(100), "BRAND")
        assess(connection, _call(rulebook, {"PHONE": True}), day(101), firm)
        assert connection.scalar(text("SELECT action_blocked_by FROM risk_flag")) is None
