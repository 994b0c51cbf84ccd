"""Who somebody is: identifiers, profiles, provenance, members, agreements."""

from collections.abc import Callable
from operator import gt, lt
from typing import Annotated, Any

import strawberry
from sqlalchemy import case, func, select

from hub.api.declare import Order, Rows, argument, column, expression, related
from hub.api.render import AS_IS, CONVERTED, FLAG, INSTANT, LIST, Rendering, instant, prefixed
from hub.api.scope import Scope
from hub.api.types.money import Money, derived_as_of
from hub.api.types.scalars import DateTime
from hub.api.types.words import AgreementStatus, ProvenanceField
from hub.store.derived import buying_group_member, member, provenance
from hub.store.derived import customer_card as card
from hub.store.derived import customer_identifier as identified
from hub.store.kept import profile_ledger
from hub.store.mapped import MAPPED

agreement = MAPPED["agreement"]
_interaction, _profile, _contact = MAPPED["interaction"], MAPPED["profile"], MAPPED["contact_point"]

Person = Annotated["Customer", strawberry.lazy("hub.api.types.customer")]  # type: ignore[name-defined]  # noqa: F821


@strawberry.type(description="Something that identifies a customer.")
class Identifier:
    __reads__ = Rows(identified, (identified.c.type, identified.c.value, identified.c.customer_no))

    type: str = column(identified.c.type, "EMAIL, PHONE, ADDRESS, DEVICE, SOCIAL, or the system that issued the id.")
    value: str = column(identified.c.value, "Normalised.")
    sources: list[str] = column(identified.c.sources, "The sources that say it.", LIST)


def identifiers_of(parent: Any, about: str) -> Any:
    """The identifiers of a customer."""
    order = (Order("TYPE", identified.c.type), Order("VALUE", identified.c.value))
    return related("list", parent, identified.c.customer_no, about=about, order=order)


def _touched(pick: Any) -> Any:
    return (
        select(pick)
        .where(_interaction.c.profile_no == profile_ledger.c.profile_no)
        .correlate(profile_ledger)
        .scalar_subquery()
    )


def _observed(pick: Any) -> Any:
    return (
        select(func.min(pick))
        .where(_profile.c.profile_no == profile_ledger.c.profile_no)
        .correlate(profile_ledger)
        .scalar_subquery()
    )


def _outermost(choose: Callable[[list[int]], int], before: Callable[[Any, Any], Any]) -> Rendering:
    """The first or the last of two instants, of which either may be unknown."""

    def answer(_scope: Scope, *instants: int | None) -> str | None:
        known = [at for at in instants if at is not None]
        return instant(choose(known)) if known else None

    def write(writer: Any, _scope: Scope, _selected: Any, left: Any, right: Any) -> Any:
        taken = case((left.is_(None), right), (right.is_(None), left), (before(left, right), left), else_=right)
        return writer.instant(taken)

    return Rendering(answer, write)


def _said(pick: Any) -> Any:
    """What the newest record of a profile that says it says."""
    newest = select(pick).where(_profile.c.profile_no == profile_ledger.c.profile_no, pick.is_not(None))
    return newest.order_by(_profile.c.fact_no.desc()).limit(1).correlate(profile_ledger).scalar_subquery()


def _contacts(kind: str, about: str) -> Any:
    """The contact points of one type, each once, however many records of the profile say it."""
    earlier = _contact.alias("earlier")
    same = (earlier.c[name] == _contact.c[name] for name in ("profile_no", "type", "value"))
    before = select(earlier.c.fact_no).where(*same, earlier.c.fact_no < _contact.c.fact_no)
    query = select(_contact.c.profile_no, _contact.c.value).where(_contact.c.type == kind, ~before.exists())
    said = query.subquery(f"said_{kind.lower()}")
    return related("values", profile_ledger.c.profile_no, said.c.profile_no, about=about, order=(_by(said.c.value),))


def _by(column: Any) -> Order:
    return Order(column.name, column)


@strawberry.type(description="A source's own view of a customer.")
class Profile:
    __reads__ = Rows(profile_ledger, (profile_ledger.c.profile_no,))

    source: str = column(profile_ledger.c.source, "The source.")
    stream: str = column(profile_ledger.c.stream, "The stream there.")
    key: str = column(profile_ledger.c.key, "The record's key there.")
    first_seen: DateTime | None = expression(
        (_observed(_profile.c.created_at), _touched(func.min(_interaction.c.at))),
        _outermost(min, lt),
        "When the source first knew of it.",
    )
    last_seen: DateTime | None = expression(
        (_observed(_profile.c.created_at), _touched(func.max(_interaction.c.at))),
        _outermost(max, gt),
        "When it was last active there.",
    )
    display_name: str | None = expression((_said(_profile.c.display_name),), AS_IS, "The name that it says.")
    birth_date: str | None = expression((_said(_profile.c.birth_date),), AS_IS, "The birth date that it says.")
    emails: list[str] = _contacts("EMAIL", "The e-mail addresses that it says, normalised.")
    phones: list[str] = _contacts("PHONE", "The phone numbers that it says, normalised.")
    addresses: list[str] = _contacts("ADDRESS", "The postal addresses that it says, normalised.")
    customer: Person | None = related(
        "one", profile_ledger.c.customer_no, card.c.customer_no, about="Whose profile it is; null while nobody's."
    )


def profiles_of(parent: Any, about: str) -> Any:
    """The profiles of a customer."""
    order = tuple(_by(c) for c in (profile_ledger.c.source, profile_ledger.c.stream, profile_ledger.c.key))
    return related("list", parent, profile_ledger.c.customer_no, about=about, order=order)


@strawberry.type(description="A value that did not survive.")
class Loser:
    __reads__ = Rows(provenance, (provenance.c.customer_no, provenance.c.field, provenance.c.rank))

    value: str = column(provenance.c.value, "The value.")
    source: str = column(provenance.c.source, "The source that said it.")
    observed_at: DateTime | None = column(provenance.c.observed_at, "When the source said it.", INSTANT)


@strawberry.type(description="Where a golden value comes from, and what it won over.")
class Provenance:
    __reads__ = Rows(provenance, (provenance.c.customer_no, provenance.c.field, provenance.c.rank))

    field: ProvenanceField = column(provenance.c.field, "The golden field.")
    value: str = column(provenance.c.value, "The value that won; the best one of a list.")
    source: str = column(provenance.c.source, "The source that says it.")
    stream: str = column(provenance.c.stream, "The stream there.")
    key: str = column(provenance.c.key, "The record's key there.")
    observed_at: DateTime | None = column(provenance.c.observed_at, "When the source said it.", INSTANT)
    strategy: str = column(provenance.c.strategy, "How it was chosen.")
    losers: list[Loser] = related(
        "list",
        (provenance.c.customer_no, provenance.c.field),
        (provenance.c.customer_no, provenance.c.field),
        about="What it won over, the next best first; of a list, the other values.",
        order=(Order("RANK", provenance.c.rank),),
        where=lambda scope, arguments: (provenance.c.rank > 0,),
    )


def provenance_of(parent: Any, about: str) -> Any:
    """The provenance of a customer's golden fields, of those asked for."""

    def where(_scope: Scope, arguments: Any) -> Any:
        asked = arguments["fields"].settled()
        return (provenance.c.rank == 0, *(() if asked is None else (provenance.c.field.in_([f.value for f in asked]),)))

    return related(
        "list",
        parent,
        provenance.c.customer_no,
        about=about,
        order=(Order("FIELD", provenance.c.field),),
        where=where,
        arguments=[argument("fields", list[ProvenanceField] | None, "Only these fields.")],
    )


def _person_of(parent: Any) -> Any:
    return related("one", parent, card.c.customer_no, about="The person; null once erased.")


@strawberry.type(description="A person of an organization.")
class Member:
    __reads__ = Rows(member, (member.c.organization_no, member.c.person_no), owner=member.c.person_no)

    role: str | None = column(member.c.role, "What the person is there.")
    since: DateTime | None = column(member.c.since, "From when.", INSTANT)
    until: DateTime | None = column(member.c.until, "Until when; null while it goes on.", INSTANT)
    person: Person | None = _person_of(member.c.person_no)


@strawberry.type(description="A member that showed interest.")
class BuyingGroupMember:
    __reads__ = Rows(
        buying_group_member,
        (buying_group_member.c.organization_no, buying_group_member.c.person_no),
        owner=buying_group_member.c.person_no,
    )

    role: str | None = column(buying_group_member.c.role, "What the person is there.")
    interaction_count: int = column(buying_group_member.c.interaction_count, "How often within the window.")
    person: Person | None = _person_of(buying_group_member.c.person_no)


def _nth_interest(scope: Scope) -> Any:
    needed = scope.house.rulebook.journey.organization_active.members
    mine = buying_group_member.c.organization_no == card.c.customer_no
    nth = select(buying_group_member.c.first_at).where(mine).order_by(buying_group_member.c.first_at)
    return nth.limit(1).offset(needed - 1).correlate(card).scalar_subquery()


@strawberry.type(description="Members of an organization that show interest within the window of rules/journey.yml.")
class BuyingGroup:
    __reads__ = Rows(card, (card.c.customer_no,))

    active: bool = expression(
        lambda scope: (_nth_interest(scope).is_not(None),), FLAG, "Whether there are enough of them."
    )
    since: DateTime | None = expression(
        lambda scope: (_nth_interest(scope),), INSTANT, "Since when there are enough of them."
    )
    members: list[BuyingGroupMember] = related(
        "list",
        card.c.customer_no,
        buying_group_member.c.organization_no,
        about="Who they are, the most active first.",
        order=(Order("INTERACTIONS", buying_group_member.c.interaction_count, True),),
    )


@strawberry.type(description="A subscription or contract.")
class Agreement:
    __reads__ = Rows(agreement, (agreement.c.fact_no,))

    id: strawberry.ID = column(agreement.c.fact_no, "Lasting.", prefixed("agr"))
    status: AgreementStatus = column(agreement.c.status, "Where it stands.")
    starts_at: DateTime = column(agreement.c.starts_at, "First day.", INSTANT)
    ends_at: DateTime | None = column(agreement.c.ends_at, "Last day, where it is known to end or has ended.", INSTANT)
    renews_at: DateTime | None = column(agreement.c.renews_at, "Next renewal.", INSTANT)
    period_months: int | None = column(agreement.c.period_months, "Length of a period in months.")
    recurring_revenue: Money | None = expression(
        (agreement.c.recurring_amount, agreement.c.currency, derived_as_of(agreement.c.customer_no)),
        CONVERTED,
        "What one period brings, at the rate of the last derivation.",
        money=True,
    )
