"""Lengths of time and rates as mapping files write them. In: `30m`, `80/s`. Out: a timedelta, checked when loaded."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """The length of `30s`, `10m`, `2h`, `7d`, `1w`; ValueError where it is none."""
    match = re.fullmatch(r"(\d{1,6})\s*([smhdw])", text.strip())
    if match is None:
        raise ValueError(f"`{text}` is no duration; write 30s, 10m, 24h, 7d or 2w")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def _a_duration(text: str) -> str:
    duration(text)
    return text


def _a_rate(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d*\s*/\s*[smhd]|\$\{\w+\}", text.strip()):
        raise ValueError(f"`{text}` is no rate; write requests per time, as 80/s, 600/m, 1000/h, or a setting")
    return text


Duration = Annotated[str, AfterValidator(_a_duration)]
Rate = Annotated[str, AfterValidator(_a_rate)]
