"""Whom somebody means. In: an id, an e-mail or a phone. Out: the customer's number, or one line that says why not."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, text

from hub.clock import show


class NoSuchCustomer(Exception):
    """Nobody, or more than one, answers to this id, e-mail or phone."""


_FIND = text("""
    SELECT COALESCE(l.merged_into, l.customer_no) FROM customer_ledger l WHERE l.public_id = :words
    UNION
    SELECT c.customer_no FROM customer_identifier c WHERE c.value IN (:words, :folded, :dialled)
""")
_NAMES = text("SELECT public_id FROM customer_ledger WHERE customer_no IN :numbers").bindparams(
    bindparam("numbers", expanding=True)
)
_SHOWN = text("SELECT 1 FROM customer_card WHERE customer_no = :no")
_LAST = text("SELECT at, event, reason FROM identity_log WHERE customer_no = :no ORDER BY log_no DESC LIMIT 1")


def find(connection: Connection, words: str) -> int:
    """The number of the one customer of this id (also a former one), e-mail or phone. Raises NoSuchCustomer."""
    said = words.strip()
    dialled = "".join(sign for sign in said if sign.isdigit() or sign == "+")
    bound = {"words": said, "folded": said.casefold(), "dialled": dialled if said.startswith("+") else said}
    found = sorted(connection.execute(_FIND, bound).scalars())
    if not found:
        raise NoSuchCustomer(f"no customer has the id, e-mail or phone {words!r}; phones as +4930123456")
    if len(found) > 1:
        ids = connection.execute(_NAMES, {"numbers": found}).scalars()
        raise NoSuchCustomer(f"{len(found)} customers share {words!r}: {', '.join(sorted(ids))}; name one by its id")
    if connection.execute(_SHOWN, {"no": found[0]}).first() is None:
        raise NoSuchCustomer(_without_card(connection, found[0], words))
    return int(found[0])


def _without_card(connection: Connection, number: int, words: str) -> str:
    last = connection.execute(_LAST, {"no": number}).first()
    if last is not None and last.event in ("RETIRED", "ERASED", "MERGED"):
        return f"{words!r} is nobody any more: {last.event} at {show(last.at)}, {last.reason}"
    return f"nothing is derived of {words!r} yet; run `hub sync`"
