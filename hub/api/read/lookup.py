"""Root fields that list or find customers, risk flags and nodes. In: a selected field. Out: what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import GraphQLObjectType
from sqlalchemy import BigInteger, ColumnElement, func, select, union

from hub.api.asked.given import ABSENT, Given
from hub.api.asked.selection import Selected
from hub.api.declare import Order, Relation, Rows, Sought
from hub.api.errors import ApiError
from hub.api.read.filters import conditions
from hub.api.read.search import checked_text, has_words
from hub.api.read.shape import Declarations
from hub.api.scope import House, Scope
from hub.api.types.inputs import CUSTOMER_ORDERS, RISK_FLAG_ORDERS, CustomerFilter, RiskFlagFilter
from hub.identity.steward.review import known_to, waiting
from hub.store.derived import customer_card as card
from hub.store.derived import customer_identifier
from hub.store.kept import customer_ledger, profile_ledger
from hub.store.mapped import MAPPED
from mappings.converters import email, phone

MOST_ORDERS = 5
_BIGGEST = 2**63

Where = Callable[[Scope, Mapping[str, Given]], Iterable[ColumnElement[bool]]]


def customers(selected: Selected) -> Relation:
    """`customers`: filtered, sorted, a page."""
    return _sorted(selected, CUSTOMER_ORDERS, lambda s, given: conditions(s, CustomerFilter, given["filter"]))


def risk_flags(selected: Selected) -> Relation:
    """`riskFlags`: filtered, sorted, a page."""
    return _sorted(selected, RISK_FLAG_ORDERS, lambda s, given: conditions(s, RiskFlagFilter, given["filter"]))


def reviews(_selected: Selected) -> Relation:
    """`reviews`: the queue, the likeliest pair first."""
    return _all((Order("SCORE", waiting.c.score, True),), lambda _scope, given: _of_source(given["source"]))


def _of_source(said: Given) -> Iterable[ColumnElement[bool]]:
    kind = profile_ledger.c.source.type
    return () if said.is_null else (known_to(said.bind(kind, lambda name: checked_text(name, "source"))),)


def search(selected: Selected) -> Relation:
    """`searchCustomers`: every word of the text begins a word of the customer's names, e-mails or phones."""
    order = (Order("DISPLAY_NAME", card.c.display_name_key),)
    return _all(order, lambda _scope, given: has_words(card.c.customer_no, given["text"], "text"))


def _sorted(selected: Selected, columns: Mapping[str, Order], where: Where) -> Relation:
    asked = selected.given["orderBy"].settled() or []
    if len(asked) > MOST_ORDERS:
        raise ApiError("BAD_USER_INPUT", f"orderBy: {len(asked)} keys; {MOST_ORDERS} at most")
    return _all(tuple(_order(columns[key["field"].value], key) for key in asked), where)


def _order(order: Order, asked: Mapping[str, Any]) -> Order:
    direction, nulls = asked.get("direction"), asked.get("nulls")
    return replace(
        order,
        descending=direction is not None and direction.value == "DESC",
        nulls_first=nulls is not None and nulls.value == "FIRST",
    )


def _all(order: tuple[Order, ...], where: Where) -> Relation:
    return Relation((), ((),), order, "connection", where=lambda scope, given: tuple(where(scope, given)))


def customer(_declarations: Declarations, selected: Selected) -> Sought:
    """`customer`: the one that an id, e-mail, phone or external id leads to."""
    said = {name: given for name, given in selected.given["by"].fields().items() if not given.is_null}
    ((name, given),) = said.items()
    return Sought(
        "Customer", (card.c.customer_no.in_(_BY[name](selected.scope.house, given)),), "" if name == "id" else name
    )


def _by_id(given: Given) -> Any:
    ledger = customer_ledger.c
    asked = given.bind(ledger.public_id.type, lambda name: checked_text(name, "id"))
    return select(func.coalesce(ledger.merged_into, ledger.customer_no)).where(ledger.public_id == asked)


def _by_contact(kind: str, value: ColumnElement[Any]) -> Any:
    contact = customer_identifier.c
    return select(contact.customer_no).where(contact.type == kind, contact.value == value)


def _by_email(_house: House, given: Given) -> Any:
    kind = customer_identifier.c.value.type
    return _by_contact("EMAIL", given.bind(kind, lambda said: email(checked_text(said, "email"))))


def _by_phone(house: House, given: Given) -> Any:
    kind, region = customer_identifier.c.value.type, house.company.region
    return _by_contact("PHONE", given.bind(kind, lambda said: phone(checked_text(said, "phone"), region)))


def _by_external_id(_house: House, given: Given) -> Any:
    identifier, ledger, said = MAPPED["identifier"], profile_ledger.c, given.fields()
    source, value = (said[part].bind(ledger.key.type, partial(checked_text, name=part)) for part in ("source", "value"))
    own = select(ledger.customer_no).where(ledger.source == source, ledger.key == value)
    if (stream := said.get("stream", ABSENT)).is_null:
        told = select(ledger.customer_no).join(identifier, identifier.c.profile_no == ledger.profile_no)
        return union(own, told.where(identifier.c.system == source, identifier.c.value == value))
    return own.where(ledger.stream == stream.bind(ledger.stream.type, partial(checked_text, name="stream")))


_BY: Mapping[str, Callable[[House, Given], Any]] = {
    "id": lambda _house, given: _by_id(given),
    "email": _by_email,
    "phone": _by_phone,
    "externalId": _by_external_id,
}


def node(declarations: Declarations, selected: Selected) -> Sought | None:
    """`node`: the row that an id names."""
    types = {**declarations.node_types(), "lnk": "Judgement"}
    named = selected.given["id"].then(lambda name: _parted(checked_text(name, "id"), types))
    prefix, places = named.then(lambda parts: (parts[0], len(parts[1]))).settled()
    type_name = types.get(prefix)
    kind = selected.operation.schema.type_map.get(type_name or "")
    if type_name is None or not isinstance(kind, GraphQLObjectType) or not kind.interfaces:
        return None
    numbers = [named.then(partial(_numbered, place)) for place in range(places)]
    where = _names(declarations.rows(type_name), prefix, selected.given["id"], numbers)
    return None if where is None else Sought(type_name, where)


def _parted(name: str, types: Mapping[str, str]) -> tuple[str, tuple[int, ...]]:
    """An id's prefix, where there are such, and the numbers behind it, where they are some."""
    prefix, _, rest = name.partition("_")
    numbers = [_number(part) for part in rest.split("-")[:3]]
    known = prefix if prefix in types else ""
    return known, () if None in numbers else tuple(number for number in numbers if number is not None)


def _numbered(place: int, parts: tuple[str, tuple[int, ...]]) -> int:
    return parts[1][place]


def _names(rows: Rows, prefix: str, name: Given, numbers: Sequence[Given]) -> tuple[ColumnElement[bool], ...] | None:
    if prefix == "cus":
        return (card.c.customer_no.in_(_by_id(name)),)
    if len(numbers) != (2 if prefix == "lnk" else 1):
        return None
    asked = [number.bind(BigInteger()) for number in numbers]
    said = rows.table.c
    if prefix == "lnk":
        return (said.left_no == asked[0], said.right_no == asked[1], said.judgement_no.is_(None))
    return ((said.judgement_no if prefix == "jdg" else rows.key[0]) == asked[0],)


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    return number if (number := int(text)) < _BIGGEST else None
