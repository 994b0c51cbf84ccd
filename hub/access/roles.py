"""Roles. In: rules/access.yml and the rules that it speaks of. Out: one Sight a role, or what is wrong with the file.

A role's `customers` is a condition in the rule language over the customer's card. `source_NAME` holds where the
customer has a profile in that source, `consent_PURPOSE` where they granted that purpose on some channel and did not
take it back there. Consent counts as recorded, whatever a run's `as_of` is: who takes it back is out of sight at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.access.classes import OF_EVERYBODY, WRITES, maskable, refusable
from hub.access.rate import parse_rate
from hub.access.sight import EVERYTHING, SEEN, Sight
from hub.expression import Condition, ExpressionError, Kind, Name, Scope, compile_condition, hint, quoted
from mappings.model import KINDS, STAGES
from mappings.rulebook import Access, Role, Rulebook

ADMIN = EVERYTHING.role

Place = tuple[str | int, ...]

_CARD: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "kind": ("text", KINDS),
    "country": ("text", ()),
    "language": ("text", ()),
    "market_state": ("text", ("ADDRESSABLE", "OBTAINABLE", "ACTIVE")),
    "stage": ("text", STAGES),
    "risk_band": ("text", ("LOW", "MEDIUM", "HIGH", "CRITICAL")),
    "risk_points": ("number", ()),
    "open_case_count": ("number", ()),
    "interaction_count": ("number", ()),
}
_KNOWN_TO = """EXISTS (
    SELECT 1 FROM profile_ledger AS known WHERE known.customer_no = {seen}.customer_no AND known.source = {source})"""
_GRANTED = """EXISTS (
    SELECT 1 FROM consent AS given WHERE given.customer_no = {seen}.customer_no AND given.purpose = {purpose}
    AND given.granted AND NOT EXISTS (
        SELECT 1 FROM consent AS taken WHERE taken.customer_no = given.customer_no AND taken.purpose = given.purpose
        AND taken.channel = given.channel AND NOT taken.granted
        AND (taken."at" > given."at" OR (taken."at" = given."at" AND taken.fact_no > given.fact_no))))"""


def build_sights(rulebook: Rulebook) -> dict[str, Sight]:
    """What each role sees, by name; always with `admin`, who sees everything. Raises ExpressionError."""
    scope = _scope(rulebook)
    sights = {name: _sight(name, role, scope) for name, role in rulebook.access.roles.items()}
    return sights | {ADMIN: EVERYTHING}


def check_access(rulebook: Rulebook) -> Iterator[tuple[Place, str]]:
    """Every problem of rules/access.yml beyond its shape: where, and what is wrong."""
    access, scope = rulebook.access, _scope(rulebook)
    for name, role in access.roles.items():
        for part, what in _role_problems(name, role, scope):
            yield ("roles", name, *part), what
    known = [*access.roles, *([] if ADMIN in access.roles else [ADMIN])]
    for theirs, ours in access.jwt.roles.items():
        if ours not in known:
            yield ("jwt", "roles", theirs), f"`{ours}` is no role; there is {', '.join(known)}{hint(ours, known)}"
    for index, purpose in enumerate(access.purposes):
        if not _is_word(purpose):
            yield ("purposes", index), f"`{purpose}` cannot be named in a condition: lower case letters, digits and _"


def _role_problems(name: str, role: Role, scope: Scope) -> Iterator[tuple[Place, str]]:
    if not _is_word(name):
        yield (), f"`{name}` is no role's name: lower case letters, digits and _"
    if name == ADMIN and (role.mask or role.refuse or role.customers):
        yield (), f"`{ADMIN}` sees everything; give what sees less another name"
    for index, twice in enumerate(role.refuse):
        if twice in role.mask:
            yield ("refuse", index), f"`{twice}` is masked already; a class is either masked or refused"
    if role.rate is not None:
        try:
            parse_rate(role.rate)
        except ValueError as error:
            yield ("rate",), str(error)
    try:
        _condition(role, scope)
    except ExpressionError as error:
        yield ("customers",), error.what


def _sight(name: str, role: Role, scope: Scope) -> Sight:
    masked = frozenset[str]().union(*map(maskable, role.mask))
    refused = frozenset[str]().union(*map(refusable, (*role.mask, *role.refuse)), *map(maskable, role.refuse))
    seen = _condition(role, scope, f"access.yml: {name}.customers")
    if seen is not None:
        masked |= OF_EVERYBODY
        refused = refused.union(*map(refusable, WRITES))
    return Sight(name, masked - refused, refused, seen)


def _condition(role: Role, scope: Scope, where: str = "") -> Condition | None:
    if role.customers is None:
        return None
    condition = compile_condition(role.customers, scope, where)
    if condition.flips:
        what = f"`{role.customers}`: as_of may not stand here; who is seen does not depend on the day"
        raise ExpressionError(where, what)
    return condition


def _scope(rulebook: Rulebook) -> Scope:
    names = {name: Name(f"{SEEN}.{name}", kind, options) for name, (kind, options) in _CARD.items()}
    for source in rulebook.company.sources:
        names[f"source_{source}"] = Name(_KNOWN_TO.format(seen=SEEN, source=quoted(source)), "flag")
    for purpose in _purposes(rulebook.access, rulebook.consent.purpose):
        names[f"consent_{purpose}"] = Name(_GRANTED.format(seen=SEEN, purpose=quoted(purpose)), "flag")
    return Scope("the customers of a role", names)


def _purposes(access: Access, main: str) -> list[str]:
    return [purpose for purpose in dict.fromkeys((main, *access.purposes)) if _is_word(purpose)]


def _is_word(text: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9_]*", text) is not None
