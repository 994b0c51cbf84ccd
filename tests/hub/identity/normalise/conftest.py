"""The shipped rules, ready for comparison."""

from __future__ import annotations

import pytest

from hub.identity.normalise.forms import Forms
from mappings.rulebook import Rulebook


@pytest.fixture(scope="module")
def forms(rulebook: Rulebook) -> Forms:
    return Forms(rulebook.identity, "DE")
