"""Root fields that list or find customers, risk flags and nodes. In: a reader and the field. Out: answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphql import GraphQLObjectType
from sqlalchemy import ColumnElement, and_, func, literal, or_, select, union

from hub.api.declare import Order, Relation
from hub.api.errors import ApiError
from hub.api.filters import checked_text, conditions
from hub.api.pages import comparable
from hub.api.read import Reader
from hub.api.scope import Scope
from hub.api.selection import Selected
from hub.api.shape import Answer
from hub.api.types.connection import TYPE_MARK
from hub.api.types.inputs import CUSTOMER_ORDERS, RISK_FLAG_ORDERS, CustomerFilter, RiskFlagFilter
from hub.insight.search import email_tokens, phone_digits, spellings
from hub.store.derived import customer_card as card
from hub.store.derived import customer_identifier, customer_token
from hub.store.kept import customer_ledger, profile_ledger
from hub.store.mapped import MAPPED
from mappings.converters import email, phone

AMBIGUOUS_SHOWN = 20
MOST_ORDERS = 5
_BIGGEST = 2**63
_LAST = "\U0010ffff"

Where = Callable[[Scope, Mapping[str, Any]], Iterable[ColumnElement[bool]]]


def customers(reader: Reader, selected: Selected) -> Answer:
    """`customers`: filtered, sorted, a page."""
    return _listed(reader, selected, CUSTOMER_ORDERS, lambda s, a: conditions(s, CustomerFilter, a.get("filter")))


def risk_flags(reader: Reader, selected: Selected) -> Answer:
    """`riskFlags`: filtered, sorted, a page."""
    return _listed(reader, selected, RISK_FLAG_ORDERS, lambda s, a: conditions(s, RiskFlagFilter, a.get("filter")))


def search(reader: Reader, selected: Selected) -> Answer:
    """`searchCustomers`: every word of the text begins a word of the customer's names, e-mails or phones."""
    prefixes = _prefixes(checked_text(selected.arguments["text"], "text"))
    if not prefixes:
        raise ApiError("BAD_USER_INPUT", "text: holds no letter or digit to search by")
    found = [or_(*(card.c.customer_no.in_(_with_token(begin)) for begin in sorted(spelt))) for spelt in prefixes]
    order = (Order("DISPLAY_NAME", card.c.display_name_key),)
    return _rooted(reader, selected, order, lambda _scope, _arguments: found)


def _listed(reader: Reader, selected: Selected, columns: Mapping[str, Order], where: Where) -> Answer:
    asked = selected.arguments.get("orderBy") or []
    if len(asked) > MOST_ORDERS:
        raise ApiError("BAD_USER_INPUT", f"orderBy: {len(asked)} keys; {MOST_ORDERS} at most")
    orders = [(columns[key["field"].value], key.get("direction")) for key in asked]
    sorted_by = [
        Order(order.name, order.column, direction is not None and direction.value == "DESC")
        for order, direction in orders
    ]
    return _rooted(reader, selected, tuple(sorted_by), where)


def _rooted(reader: Reader, selected: Selected, order: tuple[Order, ...], where: Where) -> Answer:
    relation = Relation((), ((),), order, "connection", where=lambda scope, said: tuple(where(scope, said)))
    (answer,) = reader.follow(relation, selected, [()])
    return dict(answer)


def _prefixes(text: str) -> list[frozenset[str]]:
    """What tokens of a customer must begin with, each in one of its spellings: addresses, a phone's digits, words."""
    parts = text.split()
    found = [frozenset(t for t in email_tokens(part) if "@" in t) for part in parts if "@" in part]
    rest = " ".join(part for part in parts if "@" not in part)
    digits = phone_digits(rest)
    numeric = digits and not any(letter.isalpha() for letter in rest)
    return [spelt for spelt in (*found, *([frozenset({digits})] if numeric else spellings(rest))) if spelt]


def _with_token(prefix: str) -> Any:
    token = comparable(customer_token.c.token)
    return select(customer_token.c.customer_no).where(token >= prefix, token < prefix + _LAST)


def customer(reader: Reader, selected: Selected) -> Answer | None:
    """`customer`: the one that an id, e-mail, phone or external id leads to. Raises AMBIGUOUS where several have it."""
    said = {name: value for name, value in selected.arguments["by"].items() if value is not None}
    ((name, value),) = said.items()
    numbers = _BY[name](reader, value)
    if numbers is None:
        return None
    found = reader.rows(selected, "Customer", card.c.customer_no.in_(numbers), most=2)
    if len(found) > 1:
        _refuse(reader, name, numbers)
    return found[0] if found else None


def _refuse(reader: Reader, name: str, numbers: Any) -> None:
    query = select(card.c.public_id).where(card.c.customer_no.in_(numbers)).order_by(comparable(card.c.public_id))
    ids = list(reader.connection.execute(query.limit(AMBIGUOUS_SHOWN)).scalars())
    raise ApiError(
        "AMBIGUOUS",
        f"by.{name}: belongs to several customers; ask for one of extensions.customerIds by its id",
        customerIds=ids,
    )


def _by_id(_reader: Reader, value: str) -> Any:
    ledger = customer_ledger.c
    return select(func.coalesce(ledger.merged_into, ledger.customer_no)).where(
        ledger.public_id == checked_text(value, "id")
    )


def _by_contact(kind: str, values: Iterable[str]) -> Any:
    contact = customer_identifier.c
    return select(contact.customer_no).where(contact.type == kind, contact.value.in_(sorted(values)))


def _by_email(_reader: Reader, value: str) -> Any:
    address = email(checked_text(value, "email"))
    return None if address is None else _by_contact("EMAIL", {address})


def _by_phone(reader: Reader, value: str) -> Any:
    number = phone(checked_text(value, "phone"), reader.house.company.region)
    return None if number is None else _by_contact("PHONE", {number})


def _by_external_id(_reader: Reader, said: Mapping[str, Any]) -> Any:
    source, value = (checked_text(said[part], part) for part in ("source", "value"))
    identifier, ledger = MAPPED["identifier"], profile_ledger.c
    own = [ledger.source == source, ledger.key == value]
    if said.get("stream") is not None:
        own.append(ledger.stream == checked_text(said["stream"], "stream"))
    told = select(ledger.customer_no).join(identifier, identifier.c.profile_no == ledger.profile_no)
    return union(
        select(ledger.customer_no).where(*own),
        told.where(identifier.c.system == source, identifier.c.value == value, literal(said.get("stream") is None)),
    )


_BY: Mapping[str, Callable[[Reader, Any], Any]] = {
    "id": _by_id,
    "email": _by_email,
    "phone": _by_phone,
    "externalId": _by_external_id,
}


def node(reader: Reader, selected: Selected) -> Answer | None:
    """`node`: the row that an id names; null where there is none."""
    name = checked_text(selected.arguments["id"], "id")
    prefix, _, rest = name.partition("_")
    type_name = {**reader.declarations.node_types(), "lnk": "Judgement"}.get(prefix)
    kind = selected.operation.schema.type_map.get(type_name or "")
    if type_name is None or not isinstance(kind, GraphQLObjectType) or not kind.interfaces:
        return None
    where = _names(reader, type_name, prefix, rest, name)
    found = [] if where is None else reader.rows(selected, type_name, where)
    return {TYPE_MARK: type_name, **found[0]} if found else None


def _names(reader: Reader, type_name: str, prefix: str, rest: str, name: str) -> ColumnElement[bool] | None:
    table = reader.declarations.rows(type_name)
    if prefix == "cus":
        return card.c.customer_no.in_(_by_id(reader, name))
    parts = [_number(part) for part in rest.split("-")]
    if prefix == "lnk":
        pair = len(parts) == 2 and None not in parts
        return _judged(table.table.c, *parts) if pair else None
    if len(parts) != 1 or parts[0] is None:
        return None
    column = table.table.c.judgement_no if prefix == "jdg" else table.key[0]
    return column == parts[0]


def _judged(judged: Any, left: int | None, right: int | None) -> ColumnElement[bool]:
    return and_(judged.left_no == left, judged.right_no == right, judged.judgement_no.is_(None))


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    return number if (number := int(text)) < _BIGGEST else None
