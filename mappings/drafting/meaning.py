"""In: a list that an OpenAPI document describes. Out: what its records probably mean: a profile, an invoice, a case.

Only blocks whose required fields are found are written; every field that has no place is listed for the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.drafting.openapi import Listing, Schema
from mappings.drafting.text import Guess, Remark
from mappings.drafting.words import ADDRESS, ENTITY_OF, FIRMS, LISTS, PROFILE, fold, match, matches, singular

Data = dict[Any, Any]
LOOK = "look at every word"
NAMED = 24  # how many further fields a remark lists
MOMENTS = ("created_at", "updated_at")

# Per entity: the choice that its status is, and our field to what systems call it.
ENTITIES: dict[str, dict[str, tuple[str, ...]]] = {
    "invoice": {
        "number": ("number", "invoice_number"),
        "issued_at": ("issued_at", "issue_date", "issuing_date", "date", "invoice_date", "created_at", "created"),
        "due_at": ("due_at", "due_date", "payment_due_date"),
        "paid_at": ("paid_at", "paid_on"),
        "amount": ("total", "amount", "total_amount", "total_amount_cents", "total_cents", "amount_cents"),
        "currency": ("currency", "currency_code", "amount_currency"),
    },
    "order": {
        "number": ("number", "order_number", "name", "title"),
        "placed_at": ("placed_at", "ordered_at", "created_at", "created", "add_time", "date", "order_date"),
        "decided_at": ("closed_at", "close_date", "close_time", "won_time"),
        "amount": ("total", "amount", "value", "total_amount", "amount_cents"),
        "currency": ("currency", "currency_code", "amount_currency"),
    },
    "agreement": {
        "starts_at": ("started_at", "start_date", "starts_at", "activated_at", "created_at"),
        "ends_at": ("ended_at", "end_date", "ending_at", "ends_at", "cancelled_at", "canceled_at", "terminated_at"),
        "renews_at": ("current_period_end", "next_billing_at", "renews_at", "current_term_end"),
        "currency": ("currency", "currency_code", "amount_currency"),
    },
    "case": {
        "opened_at": ("opened_at", "opened", "created_at", "created", "created_on"),
        "closed_at": ("closed_at", "closed", "solved_at", "resolved_at", "closed_on"),
        "priority": ("priority",),
        "subject": ("subject", "title", "topic", "name"),
    },
}
STATES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "invoice": ("OPEN", {"PAID": ("paid", "succeeded", "settled"), "VOID": ("void", "voided", "canceled", "cancelled"),
                         "WRITTEN_OFF": ("uncollectible", "written_off", "failed")}),
    "order": ("OPEN", {"WON": ("won", "closed_won", "paid", "completed", "confirmed"), "LOST": ("lost", "closed_lost"),
                       "CANCELLED": ("canceled", "cancelled", "deleted"), "DELIVERED": ("delivered", "shipped")}),
    "agreement": ("ACTIVE", {"TRIAL": ("trial", "trialing", "in_trial"), "PAST_DUE": ("past_due", "unpaid"),
                             "ENDED": ("canceled", "cancelled", "ended", "expired", "terminated"),
                             "PAUSED": ("paused",)}),
    "case": ("OPEN", {"PENDING": ("pending", "waiting", "on_hold", "hold"),
                      "CLOSED": ("closed", "solved", "resolved", "done")}),
}  # fmt: skip
REQUIRED = {"invoice": "issued_at", "order": "placed_at", "agreement": "starts_at", "case": "opened_at"}
TOUCHES = {
    "invoice": ("invoice.issued", "BILLING", "BRAND"), "order": ("deal.opened", "SALES", "CUSTOMER"),
    "agreement": ("agreement.started", "BILLING", "CUSTOMER"), "case": ("case.opened", "SUPPORT", "CUSTOMER"),
}  # fmt: skip


def profile_of(name: str, listing: Listing) -> Data:
    """The profile that a record of this list probably is; nothing where it is none."""
    return _Record(listing).profile(name)


def meaning_of(name: str, listing: Listing, profiles: Mapping[str, str]) -> Data:
    """The blocks that say what the records of this list mean; a remark alone where nothing is known.

    `profiles` are the streams whose records are profiles, to the paths of their keys.
    """
    record = _Record(listing)
    said: Data = {"profile": record.profile(name)} if name in profiles else {}
    owner = None if said else _owner(record, profiles)
    if owner is not None:
        said["belongs_to"] = Guess(owner, "by the name")
        entity = next((ENTITY_OF[word] for word in _words(name) if word in ENTITY_OF), None)
        said |= {} if entity is None else record.entity(entity)
    return said | record.rest()


def _words(name: str) -> list[str]:
    return [singular(word) for word in reversed(name.split("_"))]


def _owner(record: _Record, profiles: Mapping[str, str]) -> Data | None:
    for stream, path in profiles.items():
        one, key = singular(stream), path.rpartition(".")[2]
        own = match(record.names, (f"{one}_id", f"{one}_key", f"{one}_uuid", f"{one}_{key}"))
        own = own or next((name for name in record.names if fold(name).endswith(fold(f"{one}_id"))), None)
        if own is not None:
            return {"stream": stream, "key": record.take(own)}
        whole = match(record.names, (one,))
        if whole is not None and (key in record.inner(whole) or not record.inner(whole)):
            return {"stream": stream, "key": record.take(f"{whole}.{key}" if record.inner(whole) else whole)}
    return None


class _Record:
    """The fields of a list's records, and which of them have found a place."""

    def __init__(self, listing: Listing) -> None:
        self._before = f"{listing.wrap}." if listing.wrap else ""
        self._properties: dict[str, Schema] = listing.record.get("properties") or {}
        self._taken: set[str] = set()

    @property
    def names(self) -> list[str]:
        return list(self._properties)

    def inner(self, name: str) -> list[str]:
        return list(self._properties[name].get("properties") or {})

    def take(self, path: str) -> str:
        self._taken.add(path.partition(".")[0])
        return f"{self._before}{path}"

    def profile(self, name: str) -> Data:
        """A profile, where there is an address to reach somebody by, or the list is called as one of them."""
        mails = {ours: found for ours, words in LISTS.items() if (found := self._found(words))}
        known = matches(self.names, PROFILE)
        firm = any(word in FIRMS for word in _words(name))
        if any(word in ENTITY_OF for word in _words(name)) and "given_name" not in known:
            return {}
        if not mails and not (firm and "display_name" in known) and "family_name" not in known:
            return {}
        said: Data = {"kind": Guess("ORGANIZATION" if firm else "PERSON", "by the name of the list")}
        for ours, found in known.items():
            said[ours] = Guess(self._value(found, moment=ours in MOMENTS), "by its name")
        said |= {ours: Guess([self.take(found)], "by its name") for ours, found in mails.items()}
        address = self._address()
        return said | ({"address": Guess(address, "by the names")} if address else {})

    def entity(self, entity: str) -> Data:
        """The entity and the interaction that it begins with, where what they need is there."""
        found = matches(self.names, ENTITIES[entity])
        began = found.get(REQUIRED[entity])
        if began is None:
            return {}
        said: Data = {"status": self._status(entity)}
        amount, currency = found.pop("amount", None), found.get("currency")
        for ours, name in found.items():
            said[ours] = Guess(self._value(name, moment=ours.endswith("_at")), "by its name")
        if amount is not None and currency is not None:
            unit = "minor" if self._kind(amount) == "integer" or fold(amount).endswith("cents") else "major"
            why = "by its name; `minor` where it counts cents, `major` where it counts euros"
            said["amount"] = Guess({"path": self.take(amount), unit: self.take(currency)}, why)
        kind, channel, lane = TOUCHES[entity]
        at = self._value(began, moment=True)
        touch = {"type": kind, "at": at, "channel": channel, "lane": lane, "object_type": entity}
        return {entity: said, "interaction": Guess(touch, "what the record begins with")}

    def rest(self) -> Data:
        """The fields that have no place yet, with their kinds, as a remark."""
        left = [f"{name} ({self._kind(name)})" for name in self.names if name not in self._taken]
        if not left:
            return {}
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        return {"rest": Remark((f"also in the record: {', '.join(left[:NAMED])}{more}",))}

    def _status(self, entity: str) -> Any:
        usual, table = STATES[entity]
        found = match(self.names, ("status", "state", "payment_status"))
        if found is None:
            return Guess(usual, "nothing looks like a status")
        words = [str(word) for word in self._properties[found].get("enum") or [] if word is not None]
        ours = {fold(theirs): ours for ours, options in table.items() for theirs in options}
        said = {word: ours.get(fold(word), usual) for word in words}
        path = self.take(found)
        # What the document does not name is to be a dead letter, and not to pass for the usual.
        return Guess({"path": path, "table": said} if said else {"path": path, "table": {}, "default": usual}, LOOK)

    def _found(self, words: tuple[str, ...]) -> str | None:
        """The path of the first of these words, in the record itself or one level below."""
        direct = match(self.names, words)
        within = (f"{name}.{inner}" for name in self.names if (inner := match(self.inner(name), words)))
        return direct or next(within, None)

    def _address(self) -> Data:
        whole = match(self.names, ("address", "billing_address", "primary_address"))
        names = self.inner(whole) if whole else self.names
        parts = matches(names, ADDRESS)
        if "street" not in parts and "postcode" not in parts:
            return {}
        return {ours: self.take(f"{whole}.{found}" if whole else found) for ours, found in parts.items()}

    def _value(self, name: str, moment: bool) -> Any:
        path = self.take(name)
        said = self._properties[name]
        if moment and (said.get("type") in ("integer", "number") or "unix" in str(said.get("format"))):
            most = said.get("example") or said.get("maximum") or 0
            return {"path": path, "convert": "epoch_ms" if isinstance(most, int) and most > 10**11 else "epoch_s"}
        return path

    def _kind(self, name: str) -> str:
        said = self._properties[name]
        return str(said.get("format") or said.get("type") or ("object" if said.get("properties") else "any"))
