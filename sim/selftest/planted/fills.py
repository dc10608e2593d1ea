"""Bugs in fills: what they say, in which order they come, and which are invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from recon.core.facts import ZERO, Trade, VenueOrder
from sim.scenario.actions import HideTrades
from sim.selftest.planted.base import Planted, Sound, replace


class _Changes(Planted):
    """Changes each trade that a read has shown before it becomes a fill."""

    def on_account(self, account: Any) -> None:
        def make(fill: Any) -> Any:
            return lambda order, trade: fill(order, self.changed(order, trade))

        replace(account.emitter, "fill", make)

    def changed(self, order: Any, trade: Trade) -> Trade:
        """Return what is made of a trade."""
        raise NotImplementedError


class NoCommission(_Changes):
    """A fill that a read has shown costs nothing."""

    name = "no-commission"
    breaks = ("fill-wrong",)
    within = 30
    features = ("events", "silence")

    def changed(self, order: Any, trade: Trade) -> Trade:
        return structs.replace(trade, commission=ZERO)


class AllTakers(_Changes):
    """A fill that a read has shown is a taker's."""

    name = "all-takers"
    breaks = ("fill-wrong",)
    within = 40
    features = ("events", "silence")

    def changed(self, order: Any, trade: Trade) -> Trade:
        return structs.replace(trade, is_maker=False)


class TimeOfTheRead(_Changes):
    """A fill that a read has shown happened when it was read."""

    name = "time-of-the-read"
    breaks = ("fill-wrong",)
    within = 30
    features = ("events", "silence")

    def changed(self, order: Any, trade: Trade) -> Trade:
        return structs.replace(trade, time_ns=self.now_ns())


class TradesHidden(Sound):
    """`recon`, sound, while trades are shown later than the orders that they fill."""

    name = "recon-trades-hidden"
    trouble = HideTrades(symbol="SOLUSDT", for_ns=45_000_000_000)


class InfersFills(Planted):
    """What the venue says to be executed, and serves no trades of, is booked as a fill."""

    name = "infers-fills"
    breaks = ("phantom-fill",)
    within = 50
    features = ("silence",)
    control = TradesHidden
    trouble = TradesHidden.trouble

    def on_account(self, account: Any) -> None:
        def make(apply: Any) -> Any:
            def applied(
                symbol: str, trades: Sequence[Trade], orders: Mapping[str, VenueOrder], now_ns: int
            ) -> Any:
                unfinished, failed = apply(symbol, trades, orders, now_ns)
                for left in unfinished:
                    self._infer(account, left.order, now_ns)
                return unfinished, failed

            return applied

        replace(account._applier, "apply", make)

    def _infer(self, account: Any, venue: VenueOrder, now_ns: int) -> None:
        order = account._applier.find(account.venue.instrument_id(venue.symbol), venue)
        if order is None:
            return
        local = account.book.local(order)
        unseen = venue.filled - local.filled - local.prior
        if unseen <= 0 or not order.is_open:
            return
        account.emitter.fill(
            order,
            Trade(
                symbol=venue.symbol,
                order_id=venue.order_id,
                trade_id=f"INFERRED-{venue.order_id}-{venue.filled}",
                sequence=0,
                side=venue.side,
                position_side=venue.position_side,
                quantity=unseen,
                price=venue.average_price or venue.price or ZERO,
                commission=ZERO,
                commission_asset="USDT",
                is_maker=False,
                time_ns=now_ns,
            ),
        )


class ReportsReachStock(Planted):
    """What the client reports when its stream is back goes to the stock engine as well."""

    name = "reports-reach-stock"
    breaks = ("phantom-fill", "false-terminal", "alert-missing")
    within = 40
    features = ("disconnections", "by-hand")

    def on_node(self, installation: Any) -> None:
        engine, msgbus = installation._engine, installation._msgbus
        for name, mine in (
            ("reconcile_execution_report", installation.gate.on_report),
            ("reconcile_execution_mass_status", installation.gate.on_mass_status),
        ):
            msgbus.deregister(f"ExecEngine.{name}", mine)
            msgbus.register(f"ExecEngine.{name}", getattr(engine, name))


PLANTED: tuple[type[Planted], ...] = (
    NoCommission,
    AllTakers,
    TimeOfTheRead,
    InfersFills,
    ReportsReachStock,
)
