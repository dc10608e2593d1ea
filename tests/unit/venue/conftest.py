from __future__ import annotations

from collections.abc import Iterator

import pytest
from venue_client import Client, client


@pytest.fixture
def nt() -> Iterator[Client]:
    """A client in one-way mode; the venue's books are checked afterwards."""
    made = client()
    yield made
    made.venue.check_invariants()


@pytest.fixture
def hedger() -> Iterator[Client]:
    """A client in hedge mode; the venue's books are checked afterwards."""
    made = client(position_mode="hedge")
    yield made
    made.venue.check_invariants()
