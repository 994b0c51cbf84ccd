"""What every block of a YAML file has in common: unknown names are refused, and a `when` is data, not code."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Scalar = str | int | float | bool | None


class Block(BaseModel):
    """A block of a mapping file: unknown names are refused, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Test(Block):
    """A condition on one path, where equality with a value or a list of values is not enough."""

    __test__ = False  # not a test for pytest to collect

    is_not: Scalar | list[Scalar] = Field(None, alias="not", description="The value is none of these.")
    exists: bool | None = Field(None, description="The path leads to a value other than null or an empty text.")
    at_least: int | float | None = Field(None, description="The number is this or more.")
    at_most: int | float | None = Field(None, description="The number is this or less.")
    contains: Scalar = Field(None, description="The list holds this value, or the text this part.")
    lacks: Scalar = Field(None, description="The list does not hold this value, nor the text this part.")
    same_as: str | None = Field(None, description="Equal to what this other path leads to.")
    other_than: str | None = Field(None, description="Not equal to what this other path leads to.")


When = Annotated[
    dict[str, Scalar | list[Scalar] | Test],
    Field(
        description="Path to condition; all must hold. `parent.` reaches out of `each` to the record; with `*` for a "
        "list in the path, one of its items has to fulfil it."
    ),
]
