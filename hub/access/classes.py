"""Which field tells what kind of thing, on one page, for who reviews it. In: names of fields. Out: their classes.

A field is `Type.field` of the GraphQL schema, `bi_view.column` of a BI view, `Input.field` or `Enum.VALUE`. A test
walks the schema and the views: whatever is new has to be named here, as of a class or as plain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# A `!` marks what cannot be answered as unknown, so that a role that masks the class is refused it: an output that may
# not be null, an input that would tell the value by filtering or sorting, a mutation.
CLASSES: Mapping[str, str] = {
    # how to reach a person, and ids under which other systems know them
    "CONTACT": """
        Customer.emails Customer.phones Customer.identifiers Customer.provenance
        Profile.emails Profile.phones Profile.addresses
        Query.searchCustomers! CustomerFilter.search! CustomerBy.email! CustomerBy.phone! CustomerBy.externalId!
    """,
    "NAME": """
        Customer.displayName Customer.provenance Profile.displayName
        Query.searchCustomers! CustomerFilter.search! CustomerFilter.displayName! CustomerOrderField.DISPLAY_NAME!
        bi_customers.display_name
    """,
    "BIRTH_DATE": "Customer.birthDate Customer.provenance Profile.birthDate",
    # what people wrote, and what quotes it
    "TEXT": """
        Interaction.summary Judgement.reasons Identity.history DeadLetters.latest
        bi_interactions.summary
    """,
    # what they pay, cost and are worth
    "MONEY": """
        Customer.profitability Customer.value Customer.valueAtRisk Agreement.recurringRevenue RiskFlag.valueAtRisk
        Interaction.revenue Interaction.cost JourneyStep.revenue JourneyStep.cost JourneyStep.contribution
        Stop.revenue Stop.cost Stop.contribution Query.profitability Query.whaleCurve Query.reconciliation
        CustomerOrderField.VALUE_AT_RISK! CustomerOrderField.CONTRIBUTION! RiskFlagOrderField.VALUE_AT_RISK!
        bi_customers.revenue bi_customers.refunds bi_customers.direct_cost bi_customers.cost_to_serve
        bi_customers.contribution bi_customers.coverage bi_customers.value_at_risk
        bi_money.amount bi_money.reporting_amount bi_money.rate
        bi_risk_flags.value_at_risk
        bi_journey_steps.revenue bi_journey_steps.cost bi_journey_steps.contribution
    """,
    # which records of which systems they are, and who said so
    "IDENTITY": """
        Customer.identifiers Customer.profiles Customer.provenance
        Identity.mergedIds Identity.judgements Identity.history Judgement.left! Judgement.right! Judgement.reasons
        Entry.key! DeadLetters.latest CustomerBy.externalId! Query.reviews!
        bi_money.key bi_interactions.object_key
    """,
    "DECISION": "Mutation.joinProfiles! Mutation.separateProfiles! Mutation.withdrawJudgement!",
    "ERASURE": "Mutation.eraseCustomer!",
}

# Types that are reached only through fields of all these classes: what is in them needs no mark of its own.
WITHIN: Mapping[str, tuple[str, ...]] = {
    "Identifier": ("CONTACT", "IDENTITY"),
    "Provenance": ("CONTACT", "NAME", "BIRTH_DATE", "IDENTITY"),
    "Loser": ("CONTACT", "NAME", "BIRTH_DATE", "IDENTITY"),
    "Profile": ("IDENTITY",),
    "ProfileName": ("IDENTITY",),
    "Review": ("IDENTITY",),
    "IdentityEvent": ("TEXT", "IDENTITY"),
    "DeadLetter": ("TEXT", "IDENTITY"),
    "Money": ("MONEY",),
    "Profitability": ("MONEY",),
    "Entry": ("MONEY",),
    "CustomerValue": ("MONEY",),
    "GroupProfitability": ("MONEY",),
    "GroupKey": ("MONEY",),
    "WhaleBucket": ("MONEY",),
    "Reconciliation": ("MONEY",),
    "JudgementPayload": ("DECISION",),
    "WithdrawalPayload": ("DECISION",),
    "ErasurePayload": ("ERASURE",),
    "RowCount": ("ERASURE",),
}

# What cannot be cut to some customers: masked for a role that sees only some, which is refused every mutation as well.
OF_EVERYBODY = frozenset({"DeadLetters.latest", "Identity.history", "Query.reconciliation"})
WRITES = ("DECISION", "ERASURE")

# Looked at and left open to every role. Messages and reasons of risk are a rule's own words with figures in them.
PLAIN: Mapping[str, str] = {
    "Query": "node customer customers riskFlags journeyMap sources",
    "Subscription": "riskFlagRaised",
    "Customer": """
        id kind country language marketState stage firstSeen lastSeen updatedAt openCaseCount interactionCount sentiment
        riskScore riskFlags identity timeline journeys agreements members buyingGroup
    """,
    "Action": "kind channel notBefore notAfter skill why blockedBy",
    "Agreement": "id status startsAt endsAt renewsAt periodMonths",
    "BuyingGroup": "active since members",
    "BuyingGroupMember": "role interactionCount person",
    "DeadLetters": "count",
    "Deviation": "kind at message",
    "Drift": "path change was now mapped firstSeen",
    "Interaction": "id at type channel lane stage source sentiment stale",
    "Journey": "id definition startedAt endedAt outcome steps promises",
    "JourneyMap": "journeyCount stops transitions",
    "JourneyStep": """
        stage enteredAt leftAt expectedDays overdue customerInteractionCount brandInteractionCount channels sentiment
        deviations interactions
    """,
    "Identity": "profileCount",
    "Judgement": "id verdict rule score decidedBy at withdrawnAt",
    "Member": "role since until person",
    "Node": "id",
    "Promise": "madeAt dueAt keptAt status",
    "RiskFlag": "id rule severity state since points message clearsWhen contactable action evidence customer",
    "RiskReason": "rule points text",
    "RiskScore": "points band probability asOf reasons",
    "Sentiment": "score observationCount trend lastObservedAt",
    "Source": "name kind streams",
    "Stage": "key name since owner",
    "Stop": "key customerCount entryCount exitCount medianDays sentiment",
    "Stream": "name recordCount deadLetters lastSync freshUntil mappingVersion drift",
    "StreamRun": "startedAt finishedAt status pulled changed unchanged failed error",
    "Transition": "from to count customerCount medianDays",
    "CustomerBy": "id",
    "CustomerFilter": """
        kind country language marketState stage riskBand riskPoints openCaseCount interactionCount firstSeen
        lastSeen updatedAt and or not
    """,
    "CustomerOrderField": "RISK_POINTS FIRST_SEEN LAST_SEEN UPDATED_AT OPEN_CASE_COUNT",
    "RiskFlagFilter": "severity state rule since contactable",
    "RiskFlagOrderField": "SEVERITY SINCE",
    "bi_customers": """
        customer_id state redirects_to kind country language market_state stage stage_since first_seen last_seen
        updated_at open_case_count interaction_count sentiment risk_points risk_band currency
    """,
    "bi_money": """
        entry_id customer_id organization_id at kind basis currency reporting_currency source stream rule
        interaction_id stage channel
    """,
    "bi_interactions": """
        interaction_id customer_id organization_id at type channel lane stage source stream intent sentiment duration_s
        object_type
    """,
    "bi_risk_flags": """
        flag_id customer_id state rule raised_at cleared_at since severity points message currency
        action_kind action_channel action_not_before action_not_after action_blocked_by
    """,
    "bi_journey_steps": """
        step_id journey_id customer_id journey_ordinal ordinal stage entered_at left_at expected_days overdue
        customer_interaction_count brand_interaction_count sentiment currency
    """,
}


def maskable(of: str) -> frozenset[str]:
    """The fields of a class that can be answered as unknown."""
    return frozenset(field for field in CLASSES[of].split() if not field.endswith("!"))


def refusable(of: str) -> frozenset[str]:
    """The fields of a class that can only be refused."""
    return frozenset(field[:-1] for field in CLASSES[of].split() if field.endswith("!"))


_BY_FIELD: dict[str, set[str]] = {}
for _class in CLASSES:
    for _field in maskable(_class) | refusable(_class):
        _BY_FIELD.setdefault(_field, set()).add(_class)


def classes_of(fields: Iterable[str]) -> tuple[str, ...]:
    """The classes of the fields, sorted; empty where all of them are plain."""
    return tuple(sorted({each for field in fields for each in _BY_FIELD.get(field, ())}))
