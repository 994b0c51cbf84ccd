"""The rules of who is who, ready for comparison. In: the rulebook, and what was learnt. Out: forms, judge, and the
version of both.
"""

from __future__ import annotations

import json
from hashlib import blake2b

from hub.identity.evidence.calibration import read
from hub.identity.evidence.judge import Judge
from hub.identity.normalise.forms import Forms
from mappings.rulebook import Rulebook

CALIBRATION = "identity_calibration"  # of hub_meta: what was learnt, as it was kept
CODE_VERSION = 2  # raised where the same rules would join otherwise than before: then everybody is resolved again


class Rules:
    """The rules ready for comparison. Made once for each version of the rules: taking names apart is what costs."""

    _latest: Rules | None = None

    def __init__(self, rulebook: Rulebook, learnt: str | None = None, forms: Forms | None = None) -> None:
        self.rulebook = rulebook
        self.learnt = learnt
        self.identity = rulebook.identity
        self.forms = forms or Forms(rulebook.identity, rulebook.company.region)
        self.judge = Judge(rulebook.identity, self.forms, read(learnt) if learnt else None)
        said = rulebook.identity.model_dump(mode="json", exclude={"survivorship"})
        version = json.dumps(
            [CODE_VERSION, rulebook.company.region, said, *([learnt] if learnt else [])], sort_keys=True
        )
        self.version = blake2b(version.encode(), digest_size=8).hexdigest()

    @classmethod
    def of(cls, rulebook: Rulebook, learnt: str | None = None) -> Rules:
        """The rules of this rulebook with what was learnt, and what was already compared by them. Raises
        CalibrationError.
        """
        latest = cls._latest
        if latest is None or latest.rulebook is not rulebook or latest.learnt != learnt:
            same = latest is not None and latest.rulebook is rulebook
            cls._latest = latest = cls(rulebook, learnt, latest.forms if latest and same else None)
        return latest

    @classmethod
    def forms_of(cls, rulebook: Rulebook) -> Forms:
        """The forms of this rulebook, whatever was learnt."""
        latest = cls._latest
        return latest.forms if latest and latest.rulebook is rulebook else cls.of(rulebook).forms
