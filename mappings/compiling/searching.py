"""JMESPath, where a path cannot say it. In: an expression. Out: a search through parsed JSON, or what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError

from mappings.values import UnfitError

VERSION = str(jmespath.__version__)
_NOTHING = "null"  # what a function is given where nothing is found


def search(expression: str) -> Callable[[Any], Any]:
    """The search of an expression that `fault` finds nothing wrong with.

    A function of JMESPath that is given nothing finds nothing; given what it cannot take, it raises UnfitError.
    """
    find = jmespath.compile(expression).search

    def found(value: Any) -> Any:
        try:
            return find(value)
        except JMESPathTypeError as error:
            if error.actual_type == _NOTHING:
                return None
            raise UnfitError(f"`{error.function_name}` of an expression cannot take {error.actual_type}") from None

    return found


def fault(expression: str) -> str | None:
    """What is wrong with an expression, in one line; None where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            search(expression)(None)
        except JMESPathError as error:
            return str(error).splitlines()[0].removesuffix(":")
        except (ValueError, RecursionError, Warning) as error:
            return f"it cannot be read ({type(error).__name__})"
    return None
