"""The one rule language, from the text of a rule to SQL for either database; docs/rules.md is the guide to it."""

from hub.expression.language import (
    Aggregate,
    Condition,
    compile_aggregate,
    compile_condition,
    duration,
    entity_scope,
)
from hub.expression.terms import FUNCTIONS, ExpressionError, Kind, Name, Scope, hint, quoted

__all__ = [
    "FUNCTIONS",
    "Aggregate",
    "Condition",
    "ExpressionError",
    "Kind",
    "Name",
    "Scope",
    "compile_aggregate",
    "compile_condition",
    "duration",
    "entity_scope",
    "hint",
    "quoted",
]
