"""What an export refuses. In: what a reader asked for. Out: one line that says what is allowed.

UnknownExport
├── ForbiddenColumn   the reader's role may not ask for this column
├── BadWatermark      the watermark cannot be read on from
└── MissingExtra      the format needs an extra that is not installed
"""

from __future__ import annotations


class UnknownExport(Exception):
    """The view, the format, a column or a value is none; the message lists those that are."""


class ForbiddenColumn(UnknownExport):
    """The role refuses a column that was asked for by name."""


class BadWatermark(UnknownExport):
    """The watermark is none, another view's or role's, or this store was never so far."""


class MissingExtra(UnknownExport):
    """The format needs a library that is not installed."""
