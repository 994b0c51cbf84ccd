"""In: the store on either database. Out: `world`, an empty one to tell profiles to."""

from __future__ import annotations

import pytest

from hub.store.engine import Store
from mappings.rulebook import Rulebook
from tests.hub.identity.world import World


@pytest.fixture
def world(store: Store, rulebook: Rulebook) -> World:
    """An empty world."""
    return World(store, rulebook)
