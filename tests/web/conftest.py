"""What most pages are tested on: a store, and a portal in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from b24app.store.portals import Portal
from tests.seeded import House, a_house, a_portal


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A workshop on a store of its own."""
    return a_house(tmp_path)


@pytest.fixture
def portal(house: House) -> Portal:
    """A portal with the ceiling process."""
    return a_portal(house)
