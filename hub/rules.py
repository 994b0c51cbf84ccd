"""The rules, ready to use. In: folders. Out: a Rulebook whose conditions, metrics and messages are known to be sound.

The loader checks the files' shape; what only the rule language knows is checked here, before the first record.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hub.access.roles import check_access
from hub.identity.survive import check_survivorship
from hub.insight.cost import check_cost
from hub.insight.metrics import check_metrics
from hub.insight.risk import check_risk
from hub.insight.touch import check_journey
from mappings.loader import MappingError, load_rulebook, rule_problems
from mappings.rulebook import Rulebook


def load_rules(folders: Sequence[Path]) -> Rulebook:
    """All rule files, checked to the last expression. Raises MappingError with file and line of every problem."""
    rulebook = load_rulebook(folders)
    problems = [
        *rule_problems(folders, "journey", check_journey(rulebook.journey)),
        *rule_problems(folders, "cost", check_cost(rulebook.cost)),
        *rule_problems(folders, "metrics", check_metrics(rulebook.metrics)),
        *rule_problems(folders, "access", check_access(rulebook)),
        *rule_problems(folders, "identity", check_survivorship(rulebook)),
    ]
    if not problems:  # risk rules are over metrics: wrong metrics would only be said twice
        problems = rule_problems(folders, "risk", check_risk(rulebook))
    if problems:
        raise MappingError(problems)
    return rulebook
