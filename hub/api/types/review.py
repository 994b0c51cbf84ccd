"""Pairs that wait for a steward: what resolving found likely, and did not dare to join."""

from collections.abc import Mapping
from typing import Any

import strawberry
from sqlalchemy import BigInteger, Text, cast, literal_column, null

from hub.api.declare import Column, Rows, SameRow, related, same_row
from hub.api.render import AS_IS, INSTANT, LIST, RATIO
from hub.api.types.identity import PAIR, Judgement, side_of
from hub.api.types.party import Profile
from hub.identity.steward.review import waiting
from hub.store.kept import profile_ledger

_JUDGEMENT: Mapping[str, Column | SameRow] = {
    "id": Column((waiting.c.left_no, waiting.c.right_no), PAIR),
    "left": SameRow(reads=side_of(waiting, "left")),
    "right": SameRow(reads=side_of(waiting, "right")),
    "verdict": Column((waiting.c.verdict,), AS_IS),
    "rule": Column((waiting.c.rule,), AS_IS),
    "score": Column((waiting.c.score,), RATIO),
    "reasons": Column((waiting.c.reasons,), LIST),
    "decidedBy": Column((literal_column("'hub'", Text()),), AS_IS),
    "at": Column((waiting.c.at,), INSTANT),
    "withdrawnAt": Column((cast(null(), BigInteger),), INSTANT),
}


def _profile(number: Any, about: str) -> Any:
    return related("one", number, profile_ledger.c.profile_no, about=about)


@strawberry.type(description="Two profiles that may be one customer: `joinProfiles` or `separateProfiles` decides.")
class Review:
    __reads__ = Rows(
        waiting,
        (waiting.c.left_no, waiting.c.right_no),
        owner=waiting.c.customer_no,
        besides=(waiting.c.other_no,),
    )

    judgement: Judgement = same_row("What the hub thinks, and why it does not join them.", reads=_JUDGEMENT)
    left: Profile = _profile(waiting.c.left_no, "One profile, with what it says.")
    right: Profile = _profile(waiting.c.right_no, "The other profile, with what it says.")
