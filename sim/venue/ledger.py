"""The ledger: every change at the venue, once, in the order in which it happened.

The user data stream is told of entries and of nothing else.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from sim.venue.algo_models import AlgoOrder, AlgoVersion
from sim.venue.models import FLAT, Leg, LegVersion, Order, OrderVersion

type Balances = tuple[tuple[str, Decimal, Decimal], ...]
"""Assets whose balance changed, each with what it is afterwards and what of that is crossed."""


class OrderEntry(msgspec.Struct, frozen=True):
    """An order changed.

    For a fill ``leg`` is the leg that it moved, ``leg_version`` how that leg stood
    afterwards, ``balances`` the wallets that it changed, and ``reason`` the ``m`` of its
    ACCOUNT_UPDATE.  ``is_told`` is False for a change that the stream does not tell.
    """

    time_ns: int
    order: Order
    version: OrderVersion
    leg: Leg | None = None
    leg_version: LegVersion = FLAT
    balances: Balances = ()
    reason: str = "ORDER"
    is_told: bool = True


class AlgoEntry(msgspec.Struct, frozen=True):
    """A conditional order changed."""

    time_ns: int
    order: AlgoOrder
    version: AlgoVersion


class AccountEntry(msgspec.Struct, frozen=True):
    """Money or margin moved without a trade.  ``reason`` is Binance's ``m``.

    ``changes`` holds asset, change, balance afterwards and what of it is crossed; ``legs``
    those that are told of, as they stood; ``moved`` what went to (positive) or from the isolated
    margin of the only leg, ``symbol`` what a funding fee is for.
    """

    time_ns: int
    account: str
    reason: str
    changes: tuple[tuple[str, Decimal, Decimal, Decimal], ...]
    legs: tuple[tuple[Leg, LegVersion], ...] = ()
    moved: Decimal = Decimal(0)
    symbol: str = ""


class ConfigEntry(msgspec.Struct, frozen=True):
    """The account set a leverage, or its multi-assets mode (``symbol`` is empty then)."""

    time_ns: int
    account: str
    symbol: str = ""
    leverage: int = 0
    multi_assets: bool = False


class MarginCallEntry(msgspec.Struct, frozen=True):
    """The venue warns that legs are close to liquidation."""

    time_ns: int
    account: str
    legs: tuple[Leg, ...]


type LedgerEntry = OrderEntry | AlgoEntry | AccountEntry | ConfigEntry | MarginCallEntry


def account_of(entry: LedgerEntry) -> str:
    """Return the account that a ledger entry belongs to."""
    return entry.order.account if isinstance(entry, OrderEntry | AlgoEntry) else entry.account
