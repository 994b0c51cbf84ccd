"""Where a customer stands: the market state, and for an organization who of its people shows interest.

In: `touch` and rules/journey.yml. Out: buying_group_member, and the SQL of a market state.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from hub.expression import duration
from hub.insight.metrics import lower_due
from hub.insight.touch import is_type
from mappings.rulebook import Journey, OrganizationActive

_GROUPS = """
INSERT INTO buying_group_member (organization_no, person_no, role, interaction_count, first_at)
SELECT t.owner, t.person_no, MIN(m.role), COUNT(*), MIN(t.at)
FROM touch t LEFT JOIN member m ON m.organization_no = t.owner AND m.person_no = t.person_no
WHERE t.interaction_no < 0 AND t.at > :since AND {interest}
GROUP BY t.owner, t.person_no
"""

# The group changes when a touch leaves the window.
_FLIPS = """
SELECT t.owner, MIN(t.at) + {within} FROM touch t
WHERE t.interaction_no < 0 AND t.at > :as_of - {within} AND {interest} GROUP BY t.owner
"""

# An organization is ACTIVE by its own doing (it buys) or by enough of its people; nobody is who has left. Who looks
# at us again has not bought again: to them only enough interested people count.
_STATE = """
CASE WHEN {left} THEN CASE WHEN {active} = 1 OR {obtainable} = 1 THEN 'OBTAINABLE' ELSE 'ADDRESSABLE' END
     WHEN {active} = 1 OR {people} >= {members} THEN 'ACTIVE'
     WHEN {obtainable} = 1 OR {people} > 0 THEN 'OBTAINABLE' ELSE 'ADDRESSABLE' END
"""


def buying_groups(connection: Connection, rules: OrganizationActive, as_of: int) -> None:
    """Writes which people of the batch's organizations showed interest within the window before `as_of` (µs)."""
    within = duration(rules.within, "journey.yml: organization_active: within")
    interest = is_type(rules.evidence, "t.type")
    connection.execute(text(_GROUPS.format(interest=interest)), {"since": as_of - within})
    lower_due(connection, _FLIPS.format(interest=interest, within=within), 1, as_of)


def signs(rules: Journey) -> str:
    """SQL aggregates over touches `t` of one owner: `active` (by its own touches) and `obtainable`, 1 or 0."""
    return (
        f"MAX(CASE WHEN t.interaction_no > 0 AND {is_type(rules.active, 't.type')} THEN 1 ELSE 0 END) AS active,"
        f" MAX(CASE WHEN {is_type(rules.obtainable, 't.type')} THEN 1 ELSE 0 END) AS obtainable"
    )


def market_state(rules: Journey, active: str, obtainable: str, people: str, stage: str) -> str:
    """SQL of the market state, from the SQL of its signs, of the number of interested people and of the stage."""
    known = {"active": f"COALESCE({active}, 0)", "obtainable": f"COALESCE({obtainable}, 0)"}
    members, many = rules.organization_active.members, f"COALESCE({people}, 0)"
    left = f"{stage} = 'ENDED' OR ({stage} = 'WIN_BACK' AND {many} < {members})"
    return _STATE.format(**known, people=many, members=members, left=left)
