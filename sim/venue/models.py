"""The records that the exchange keeps: orders, trades, positions, income.

Rules:

* An `Order` is its identity plus an append-only list of versions; the last one is
  the truth, an earlier one is what a lagging read still shows.
* The same holds for a `Leg` (a position side) and for wallet balances.
* Times are integer nanoseconds and never decrease along such a list.
* ``body`` fields cache the encoded REST form; they carry no information.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal

import msgspec

from sim.observation import Terms, VenueOrder, VenuePosition, VenueTrade
from sim.venue.config import SymbolConfig
from sim.venue.keys import ApiKey

ZERO = Decimal(0)
OPEN_STATUSES = frozenset({"NEW", "PARTIALLY_FILLED"})
MONEY_UNIT = Decimal("0.00000001")


class Expiry:
    """Why an order expired: Binance's ``er``."""

    SELF_TRADE = 1
    IOC_REST = 2
    IOC_SELF_TRADE = 3
    REDUCE_ONLY = 4
    LIQUIDATION = 5
    POSITION_CLOSED = 6
    DELISTING = 7
    MARKET_REST = 9


class Trade(msgspec.Struct):
    """One execution, with the realised profit that it brought (commission excluded)."""

    record: VenueTrade
    realized_pnl: Decimal
    body: bytes = b""


class OrderVersion(msgspec.Struct):
    """An order after one change.

    ``execution`` is Binance's ``x`` (NEW, TRADE, CALCULATED, CANCELED, EXPIRED, AMENDMENT),
    ``quote`` the sum of price times quantity over its fills, ``expiry_reason``
    Binance's ``er``, see `Expiry`.  ``told_status`` is what an event calls the status where
    that differs (NEW_INSURANCE of a fill by the insurance fund).  ``amendment_id`` numbers the
    amendments of a symbol.
    """

    time_ns: int
    execution: str
    status: str
    quantity: Decimal
    price: Decimal
    filled: Decimal
    quote: Decimal
    trade: Trade | None = None
    expiry_reason: int = 0
    told_status: str = ""
    amendment_id: int = 0
    body: bytes = b""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def average_price(self) -> Decimal | None:
        """Return the mean fill price, None while nothing is filled."""
        return self.quote / self.filled if self.filled else None


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A new order that passed validation.  ``price`` is zero for MARKET orders.

    ``closes`` marks an order that may only shrink its leg: reduce-only in one-way
    mode, the closing direction of a leg in hedge mode.  ``type`` is how it executes (LIMIT,
    MARKET); ``shown_type`` is what events call it and ``listed_type`` what reads do, if that
    differs, ``original_type`` the type that it had before.  ``stop_price`` is the trigger of a
    conditional order that it came from.
    """

    symbol: SymbolConfig
    side: str
    type: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    position_side: str
    reduce_only: bool
    closes: bool
    client_order_id: str
    good_till_ms: int = 0
    shown_type: str = ""
    listed_type: str = ""
    original_type: str = ""
    stop_price: Decimal = ZERO
    close_position: bool = False
    working_type: str = "CONTRACT_PRICE"
    price_protect: bool = False
    price_match: str = "NONE"
    self_trade_prevention: str = "EXPIRE_MAKER"
    meets_own: bool = False
    """Whether it meets orders of its own account even if it rests, as it asked to."""


class Order:
    """One order: who placed what, and how it stood after each change."""

    __slots__ = (
        "account", "created_ns", "current", "order_id", "ticket", "version_times", "versions",
    )  # fmt: skip

    def __init__(self, account: str, order_id: int, ticket: Ticket, version: OrderVersion) -> None:
        self.account = account
        self.order_id = order_id
        self.ticket = ticket
        self.created_ns = version.time_ns
        self.current = version
        self.versions = [version]
        self.version_times = [version.time_ns]

    def append(self, version: OrderVersion) -> None:
        """Record a change; the caller guarantees that its time is not earlier."""
        self.current = version
        self.versions.append(version)
        self.version_times.append(version.time_ns)

    def as_of(self, at_ns: int) -> OrderVersion | None:
        """Return the version that stood at that time, None before the order existed."""
        index = bisect_right(self.version_times, at_ns)
        return self.versions[index - 1] if index else None

    @property
    def rest(self) -> Decimal:
        return self.current.quantity - self.current.filled

    @property
    def amendments(self) -> int:
        """How often it has been amended."""
        return sum(version.execution == "AMENDMENT" for version in self.versions)

    def truth(self) -> VenueOrder:
        """Return the order as the oracle sees it."""
        ticket, now = self.ticket, self.current
        return VenueOrder(
            account=self.account,
            symbol=ticket.symbol.name,
            order_id=self.order_id,
            client_order_id=ticket.client_order_id,
            side=ticket.side,
            position_side=ticket.position_side,
            status=now.status,
            quantity=now.quantity,
            filled=now.filled,
            average_price=now.average_price,
            created_ns=self.created_ns,
            updated_ns=now.time_ns,
            closed_ns=None if now.is_open else now.time_ns,
            terms=tuple(
                Terms(version.time_ns, version.quantity, version.price or None)
                for version in self.versions
                if version.execution in ("NEW", "AMENDMENT")
            ),
        )


class LegVersion(msgspec.Struct, frozen=True):
    """A leg after one change: signed quantity, entry price, realised profit so far.

    ``isolated_margin`` is what it has in a wallet of its own, zero while it is crossed.
    """

    time_ns: int
    quantity: Decimal
    entry_price: Decimal
    realized_pnl: Decimal
    isolated_margin: Decimal = ZERO


FLAT = LegVersion(0, ZERO, ZERO, ZERO)


class Leg:
    """One position side of one symbol of one account."""

    __slots__ = ("account", "current", "position_side", "symbol", "version_times", "versions")

    def __init__(self, account: str, symbol: SymbolConfig, position_side: str) -> None:
        self.account = account
        self.symbol = symbol
        self.position_side = position_side
        self.current = FLAT
        self.versions = [FLAT]
        self.version_times = [0]

    def as_of(self, at_ns: int) -> LegVersion:
        """Return how the leg stood at that time (flat before its first fill)."""
        index = bisect_right(self.version_times, at_ns)
        return self.versions[index - 1] if index else FLAT

    def apply(
        self, signed: Decimal, price: Decimal, time_ns: int, isolated_leverage: int = 0
    ) -> Decimal:
        """Add a signed execution; return the realised profit.

        The entry price moves only when the leg grows.  A fill that goes through
        zero closes the old leg and opens the new one at the trade price.  With a leverage the
        leg is isolated: its margin grows with it, and goes back in proportion.
        """
        held, entry = self.current.quantity, self.current.entry_price
        after = held + signed
        realized = ZERO
        margin = self.current.isolated_margin
        if isolated_leverage:
            kept = min(abs(held), abs(after)) if held * after > 0 else ZERO
            stays = margin * kept / abs(held) if held else ZERO
            margin = stays + (abs(after) - kept) * price / isolated_leverage
            margin = margin.quantize(MONEY_UNIT)
        if held == 0 or (held > 0) == (signed > 0):
            entry = (abs(held) * entry + abs(signed) * price) / abs(after)
        else:
            closed = min(abs(held), abs(signed))
            realized = (price - entry) * (closed if held > 0 else -closed)
            realized = realized.quantize(MONEY_UNIT)
            if after == 0:
                entry = ZERO
            elif (after > 0) != (held > 0):
                entry = price
        total = self.current.realized_pnl + realized
        self._append(LegVersion(time_ns, after, entry, total, margin))
        return realized

    def set_margin(self, margin: Decimal, time_ns: int) -> None:
        """Give the isolated leg that margin."""
        now = self.current
        self._append(LegVersion(time_ns, now.quantity, now.entry_price, now.realized_pnl, margin))

    def _append(self, version: LegVersion) -> None:
        self.current = version
        self.versions.append(version)
        self.version_times.append(version.time_ns)

    def truth(self, version: LegVersion | None = None) -> VenuePosition:
        """Return the leg (as it stands, or as that version) as the oracle sees it."""
        shown = self.current if version is None else version
        return VenuePosition(
            account=self.account,
            symbol=self.symbol.name,
            position_side=self.position_side,
            quantity=shown.quantity,
            entry_price=shown.entry_price,
        )


class Wallet:
    """The balance of one asset of one account, with its past."""

    __slots__ = ("asset", "balance", "start", "version_times", "versions")

    def __init__(self, asset: str, start: Decimal) -> None:
        self.asset = asset
        self.start = start
        self.balance = start
        self.versions = [start]
        self.version_times = [0]

    def add(self, amount: Decimal, time_ns: int) -> None:
        """Change the balance."""
        self.balance += amount
        self.versions.append(self.balance)
        self.version_times.append(time_ns)

    def as_of(self, at_ns: int) -> tuple[Decimal, int]:
        """Return the balance at that time and when it last changed (0: never)."""
        index = max(1, bisect_right(self.version_times, at_ns))
        return self.versions[index - 1], self.version_times[index - 1]


class Income(msgspec.Struct, frozen=True):
    """One row of an account's income history.  ``amount`` is signed."""

    time_ns: int
    symbol: str
    kind: str
    amount: Decimal
    asset: str
    transaction_id: int
    trade_id: int


class Holding:
    """All that one account has on one symbol, indexed for reading."""

    __slots__ = (
        "by_client_id", "by_id", "closed", "closed_times", "created_times", "legs", "open",
        "opening", "orders", "symbol", "trade_ids", "trade_times", "trades",
    )  # fmt: skip

    def __init__(self, symbol: SymbolConfig) -> None:
        self.symbol = symbol
        self.orders: list[Order] = []  # ascending by id, hence by creation
        self.created_times: list[int] = []
        self.open: dict[int, Order] = {}
        self.by_id: dict[int, Order] = {}
        self.by_client_id: dict[str, Order] = {}  # see `reused_client_id`
        self.closed: list[Order] = []  # ascending by the time of closing
        self.closed_times: list[int] = []
        self.trades: list[Trade] = []  # ascending by id, hence by time
        self.trade_ids: list[int] = []
        self.trade_times: list[int] = []
        self.legs: dict[str, Leg] = {}
        self.opening: dict[str, tuple[Decimal, Decimal]] = {}  # see `margin`

    def find(self, order_id: int | None, client_order_id: str | None) -> Order | None:
        """Return the order of that id; the venue's id prevails when both are given."""
        if order_id is not None:
            return self.by_id.get(order_id)
        return None if client_order_id is None else self.by_client_id.get(client_order_id)

    def find_to_change(self, order_id: int | None, client_order_id: str | None) -> Order | None:
        """Return what a command names: as `find`, but rather an open order than a closed one."""
        found = self.find(order_id, client_order_id)
        if order_id is None and found is not None and not found.current.is_open:
            standing = (
                order
                for order in self.open.values()
                if order.ticket.client_order_id == client_order_id
            )
            return next(standing, found)
        return found


class Account:
    """One futures account: its wallet, its settings and its holdings."""

    __slots__ = (
        "burns_bnb", "countdowns", "hedge", "holdings", "income", "income_times", "keys",
        "leverage", "margin_types", "multi_assets", "name", "open_client_ids", "state",
        "switches_ns", "wallets",
    )  # fmt: skip

    def __init__(self, name: str, keys: dict[str, ApiKey], hedge: bool) -> None:
        self.name = name
        self.keys = keys  # by what a request names
        self.hedge = hedge
        self.switches_ns: list[int] = []  # when the position mode became the other one
        self.multi_assets = self.burns_bnb = False
        self.state = "normal"  # or another of `AccountState`
        self.holdings: dict[str, Holding] = {}
        self.wallets: dict[str, Wallet] = {}
        self.open_client_ids: set[str] = set()
        self.leverage: dict[str, int] = {}
        self.margin_types: dict[str, str] = {}
        self.countdowns: dict[str, int] = {}  # when all orders of a symbol are cancelled, in ns
        self.income: list[Income] = []
        self.income_times: list[int] = []

    def isolates(self, symbol: str) -> bool:
        """Whether the legs of a symbol are isolated."""
        return self.margin_types.get(symbol) == "ISOLATED"

    def isolated(self, asset: str) -> Decimal:
        """Return how much of an asset is in isolated legs."""
        if not self.margin_types:
            return ZERO
        return sum(
            (
                leg.current.isolated_margin
                for holding in self.holdings.values()
                if holding.symbol.quote_asset == asset
                for leg in holding.legs.values()
            ),
            ZERO,
        )

    @property
    def position_sides(self) -> tuple[str, ...]:
        return ("LONG", "SHORT") if self.hedge else ("BOTH",)

    @property
    def has_open_orders(self) -> bool:
        return any(holding.open for holding in self.holdings.values())

    @property
    def has_positions(self) -> bool:
        return any(
            leg.current.quantity
            for holding in self.holdings.values()
            for leg in holding.legs.values()
        )
