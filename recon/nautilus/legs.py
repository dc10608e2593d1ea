"""Positions: what no trade explains, on first contact and later.

Rules of this file:

1. Each position side is on its own.  A leg that is absent from a complete read is flat.
2. On first contact what the trades of the window do not explain is one opening balance,
   after two reads that agree.  Where these may be behind it waits until no read can be; what a
   start has to leave so is told.
3. Later a difference is a *residual*.  It is told after two reads that agree, when
   nothing has moved on the leg for so long that no read can be behind; what the policy
   says is done after three, over two intervals.
4. A fill that reached its order but not its position, because of a crash between the two
   writes, explains a difference and is repaired; so do the fills that a position had before
   it was made anew, where a crash broke that off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import msgspec
from nautilus_trader.common.component import Logger

from recon.config import Policy
from recon.core.facts import ZERO, Leg, Positions, Trade
from recon.core.ledger import Ledger
from recon.core.opening import Holding, opening_balance
from recon.nautilus.balances import Balances
from recon.nautilus.book import ADJUSTMENT_TAG
from recon.nautilus.holdings import Holdings, Torn
from recon.nautilus.teller import Teller

TOLERANCE_NS = 100_000_000
"""How far the times of a position and of the trade that changed it may be apart."""

AGAIN_NS = 1_000_000_000
"""How long after a residual was seen for the first time it is looked at again."""

READS_UNTIL_TOLD = 2
READS_UNTIL_DONE = 3
INTERVALS_UNTIL_DONE = 2


class Residuals(msgspec.Struct):
    """What of a symbol no trade explains.

    ``is_torn`` says that positions and trades were read of different times, as far as
    the times that they carry tell; ``is_fresh`` that what is unsettled has moved so lately
    that a read may be behind.
    """

    unsettled: dict[Leg, Decimal] = {}
    settled: dict[Leg, Decimal] = {}
    is_torn: bool = False
    is_fresh: bool = False


class _Suspicion(msgspec.Struct):
    """A residual that was seen: its size, how often, and since when."""

    quantity: Decimal
    asked_ns: int
    first_ns: int
    reads: int = 1
    is_told: bool = False
    is_done: bool = False


class Legs:
    """Compares the legs of one account.

    Parameters
    ----------
    read_lag_ns
        How far a read may be behind.
    interval_ns
        How often all is compared.
    halt
        Stops the node, with a reason.
    books_balances
        Whether a leg may be booked that no trade explains.
    is_compared
        Whether positions are compared at all.
    """

    def __init__(
        self,
        holdings: Holdings,
        ledger: Ledger,
        balances: Balances,
        teller: Teller,
        log: Logger,
        *,
        now_ns: Callable[[], int],
        read_lag_ns: int,
        interval_ns: int,
        policy: Policy,
        halt: Callable[[str], None],
        books_balances: bool,
        is_compared: bool,
    ) -> None:
        self._holdings = holdings
        self._ledger = ledger
        self._balances = balances
        self._teller = teller
        self._log = log
        self._now_ns = now_ns
        self._read_lag_ns = read_lag_ns
        self._interval_ns = interval_ns
        self._policy = policy
        self._halt = halt
        self._books_balances = books_balances
        self._is_compared = is_compared
        self._suspicions: dict[Leg, _Suspicion] = {}
        self._torn: dict[Leg, list[Torn]] = {}
        self._unmade: dict[Leg, list[Torn]] = {}
        self.look_again_ns: int | None = None

    # -- before the trades of a symbol are applied ----------------------------------------

    def unexplained(self, symbol: str, positions: Positions, trades: Sequence[Trade]) -> Residuals:
        """Return what would be left of each leg of a symbol if the trades were applied."""
        found = Residuals({}, {})
        if not self._is_compared:
            return found
        for leg in self._legs_of(symbol, positions, trades):
            if leg not in positions.legs and not positions.is_complete:
                continue
            residual = self._residual(leg, positions, trades)
            if residual and trades:
                residual = self._residual(leg, positions, self._moving(leg, trades))
            if not residual:
                continue
            if self._ledger.is_settled(leg) and not self._comes_late(leg, trades):
                found.settled[leg] = residual
                continue
            found.unsettled[leg] = residual
            found.is_torn = found.is_torn or self._is_torn(leg, positions, trades)
            found.is_fresh = found.is_fresh or self._is_fresh(leg, positions, trades)
        return found

    def _comes_late(self, leg: Leg, trades: Sequence[Trade]) -> bool:
        """Whether a trade is seen only now that was made when an opening balance was settled.

        The balance stands for it, then, and for what is left over with it.
        """
        settled_ns = self._ledger.settled_ns(leg) + TOLERANCE_NS
        return any(trade.time_ns <= settled_ns for trade in _of(leg, trades))

    def _is_fresh(self, leg: Leg, positions: Positions, trades: Sequence[Trade]) -> bool:
        """Whether a leg has moved so lately that trades of it may still come to be seen."""
        return self._calm_ns(leg, positions, trades) > self._now_ns()

    def _calm_ns(self, leg: Leg, positions: Positions, trades: Sequence[Trade] = ()) -> int:
        """Return when all trades of a leg have come to be seen, if no more are made."""
        return max(positions.updated_ns(leg), self._moved_ns(leg, trades)) + self._read_lag_ns

    def settle(
        self,
        symbol: str,
        residuals: Residuals,
        positions: Positions,
        trades: Sequence[Trade],
        *,
        agree: bool,
        is_agreed: bool,
        is_start: bool,
    ) -> None:
        """Book opening balances and repair what a crash has torn, before the trades.

        ``agree`` says that reads showed the same, ``is_agreed`` that they were not behind, either.
        """
        if not self._is_compared:
            return
        for leg, residual in (*residuals.settled.items(), *residuals.unsettled.items()):
            if is_start:
                self._torn[leg] = self._holdings.torn_fills(leg)
                self._unmade[leg] = self._holdings.unmade_fills(leg)
            if self._repair(leg, residual, is_start=is_start):
                residuals.settled.pop(leg, None)
                residuals.unsettled.pop(leg, None)
        for leg in self._legs_of(symbol, positions, trades):
            if leg not in positions.legs and not positions.is_complete:
                self._mend(leg, is_start=is_start)
                continue
            book = self._ledger.book(symbol)
            if leg not in residuals.unsettled:
                if not self._ledger.is_settled(leg):
                    book.settle(leg.position_side, self._now_ns())
            elif is_agreed and self._books_balances:
                self._open(leg, positions, self._moving(leg, trades))
            else:
                book.reopen(leg.position_side)
                if is_start and agree:
                    self._leave_open(leg, residuals.unsettled[leg], positions)

    def _leave_open(self, leg: Leg, residual: Decimal, positions: Positions) -> None:
        if (before := self._suspicions.get(leg)) is not None and before.quantity == residual:
            return  # told already, by a start that went no further
        suspicion = _Suspicion(residual, positions.asked_ns, self._now_ns(), is_told=True)
        self._suspicions[leg] = suspicion
        text = f"{residual:+f} at the venue, whose answers may be behind: looked at again"
        self._teller.leg("residual", leg, text, is_corrected=False)

    def _repair(self, leg: Leg, residual: Decimal, *, is_start: bool) -> bool:
        """Repair a leg if what a crash kept from its position explains the residual.

        What that is shows when the node has loaded it, or when the venue serves the trades.
        It may be of use later, when trades that hide it are served.
        """
        loaded = self._torn.get(leg, [])
        served = self._torn_trades(leg)
        unmade = self._unmade.get(leg, [])
        for torn in (loaded, unmade, [each for _, each in served]):
            if torn and sum((each.signed for each in torn), ZERO) == residual:
                break
        else:
            return False
        # What a start finds in orders alone is the last of all fills; else later ones stand.
        is_last = is_start and torn is loaded
        self._balances.repair(torn, is_last=is_last)
        self._torn.pop(leg, None)
        self._unmade.pop(leg, None)
        for trade, _ in served:
            del self._holdings.torn_trades[trade.key]
            self._ledger.book(leg.symbol).record(trade.key, trade.sequence)
        text = f"{len(torn)} fills had reached their orders and not the position"
        self._teller.leg("torn-position", leg, text, is_corrected=True)
        return True

    def _mend(self, leg: Leg, *, is_start: bool) -> None:
        """Repair a leg that the venue does not speak of by the trades that it serves."""
        served = self._torn_trades(leg)
        if served:
            if is_start:
                self._torn[leg] = self._holdings.torn_fills(leg)
            missing = sum((torn.signed for _, torn in served), ZERO)
            self._repair(leg, missing, is_start=is_start)

    def _torn_trades(self, leg: Leg) -> list[tuple[Trade, Torn]]:
        return [
            (trade, torn) for trade, torn in self._holdings.torn_trades.values() if trade.leg == leg
        ]

    def is_torn(self, symbol: str) -> bool:
        """Whether positions of a symbol are known to lack fills that their orders have."""
        return any(key.symbol == symbol for key in self._holdings.torn_trades)

    def postpone(self, positions: Positions, symbols: Iterable[str]) -> None:
        """Leave the legs of symbols that are not reconciled for when they are."""
        for leg in positions.legs:
            if leg.symbol not in symbols and not self._ledger.is_settled(leg):
                self._ledger.book(leg.symbol).postpone(leg.position_side)

    def _open(self, leg: Leg, positions: Positions, trades: Sequence[Trade]) -> None:
        held = self._holdings.holding(leg)
        filtered = self._ledger.filtered(leg)
        at_venue = positions.legs.get(leg)
        venue = Holding(ZERO, ZERO)
        if at_venue is not None:
            venue = Holding(at_venue.quantity - filtered, at_venue.entry_price)
        balance = opening_balance(venue, held, trades)
        if balance is None:
            return
        now_ns = self._now_ns()
        at_ns = min([now_ns, *(trade.time_ns for trade in trades)]) - 1_000_000
        self._balances.book_unexplained(leg, balance, at_ns)
        self._ledger.book(leg.symbol).settle(leg.position_side, now_ns)
        text = (
            f"opened with {balance.quantity} at {balance.entry_price:.9g}, which is older than "
            "the history that was read"
        )
        if held.quantity == venue.quantity and not self._teller.is_starting:
            # What was missing of it and the trade that was missing too made no difference.
            self._log.info(f"{leg} is {text}")
        else:
            self._teller.leg("opening-balance", leg, text, is_corrected=True)

    # -- after all is applied -------------------------------------------------------------

    def judge(self, positions: Positions, is_read: Callable[[str], bool]) -> None:
        """Compare all legs with what was read before they were settled.

        ``is_read`` says of a symbol whether all of it could be read.
        """
        self.look_again_ns = None
        if not self._is_compared:
            return
        seen = dict.fromkeys((*sorted(positions.legs), *self._holdings.legs(), *self._suspicions))
        for leg in seen:
            if is_read(leg.symbol) and (leg in positions.legs or positions.is_complete):
                self._judge(leg, positions)

    def _judge(self, leg: Leg, positions: Positions) -> None:
        residual = self._residual(leg, positions, ())
        suspicion = self._suspicions.get(leg)
        now_ns = self._now_ns()
        if not residual:
            if suspicion is not None and suspicion.is_told:
                self._log.info(f"{leg} agrees with the venue's again")
            self._suspicions.pop(leg, None)
            return
        is_to_open = self._books_balances and not self._ledger.is_settled(leg)
        # A read may be behind what is known here, and the trades behind what it knows.
        calm_ns = self._calm_ns(leg, positions)
        if positions.asked_ns < calm_ns:
            # There is no hurry where trades may be lacking for longer.
            if positions.is_complete or not is_to_open:
                self._look_again(calm_ns)
            return
        if is_to_open:
            return
        if suspicion is None or suspicion.quantity != residual:
            self._suspicions[leg] = _Suspicion(residual, positions.asked_ns, now_ns)
            self._look_again(now_ns + AGAIN_NS)
            return
        if positions.asked_ns == suspicion.asked_ns:
            return
        suspicion.asked_ns = positions.asked_ns
        suspicion.reads += 1
        if suspicion.reads >= READS_UNTIL_TOLD and not suspicion.is_told:
            suspicion.is_told = True
            self._teller.leg(
                "residual",
                leg,
                f"{residual:+f} at the venue that no trade explains (policy: {self._policy})",
                is_corrected=False,
            )
        if (
            suspicion.reads >= READS_UNTIL_DONE
            and now_ns - suspicion.first_ns >= INTERVALS_UNTIL_DONE * self._interval_ns
            and not suspicion.is_done
        ):
            suspicion.is_done = True
            self._do(leg, residual, positions)

    def _do(self, leg: Leg, residual: Decimal, positions: Positions) -> None:
        if self._policy == "halt":
            self._halt(f"{leg} differs from the venue's by {residual:+f} and no trade explains it")
        elif self._policy == "adjust" and self._books_balances:
            held = self._holdings.holding(leg)
            at_venue = positions.legs.get(leg)
            price = held.entry_price if at_venue is None else at_venue.entry_price
            self._balances.book_unexplained(
                leg, Holding(residual, price or Decimal(1)), self._now_ns(), ADJUSTMENT_TAG
            )
            self._teller.leg(
                "adjustment", leg, f"adjusted by {residual:+f} at {price:.9g}", is_corrected=True
            )
            self._suspicions.pop(leg, None)

    # -- details --------------------------------------------------------------------------

    def _residual(self, leg: Leg, positions: Positions, trades: Iterable[Trade]) -> Decimal:
        at_venue = positions.legs.get(leg)
        quantity = ZERO if at_venue is None else at_venue.quantity
        gained = sum((trade.signed for trade in _of(leg, trades)), ZERO)
        return quantity - self._holdings.holding(leg).quantity - self._ledger.filtered(leg) - gained

    def _moving(self, leg: Leg, trades: Iterable[Trade]) -> list[Trade]:
        """Return those trades of a leg that its positions do not have.

        NautilusTrader books a fill of an order that it had rejected on the position, and not
        on the order: the order lacks it, and the position has it.
        """
        mine = _of(leg, trades)
        held = self._holdings.fills_of_positions(leg, {trade.trade_id for trade in mine})
        return [trade for trade in mine if (trade.trade_id, trade.side) not in held]

    def _legs_of(self, symbol: str, positions: Positions, trades: Iterable[Trade]) -> list[Leg]:
        legs = {leg for leg in positions.legs if leg.symbol == symbol}
        legs |= {leg for leg in self._holdings.legs() if leg.symbol == symbol}
        legs |= {Leg(symbol, side) for side in {trade.position_side for trade in trades}}
        return sorted(legs)

    def _is_torn(self, leg: Leg, positions: Positions, trades: Sequence[Trade]) -> bool:
        """Whether a position and the trades of its leg are, as they say, of different times."""
        if not self._is_fresh(leg, positions, trades):
            return False
        updated_ns = positions.updated_ns(leg)
        # A client that may serve less than it was asked for may show one trade of two.
        may_lack = not updated_ns or not positions.is_complete
        return may_lack or abs(updated_ns - self._moved_ns(leg, trades)) > TOLERANCE_NS

    def _moved_ns(self, leg: Leg, trades: Sequence[Trade] = ()) -> int:
        """Return when a leg last moved by the venue's time: by these trades, or else here."""
        held = (position.ts_last for position in self._holdings.all_positions(leg))
        mine = [trade.time_ns for trade in _of(leg, trades)]
        return max(mine or held, default=0)

    def _look_again(self, at_ns: int) -> None:
        if self.look_again_ns is None or at_ns < self.look_again_ns:
            self.look_again_ns = at_ns


def _of(leg: Leg, trades: Iterable[Trade]) -> list[Trade]:
    """Return the trades of a leg, of trades that are all of its symbol."""
    side = leg.position_side
    return [trade for trade in trades if trade.position_side == side]
