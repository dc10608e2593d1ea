"""Bugs in the lives of orders: what is taken for an end, and what is not applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from recon.core.facts import Trade
from recon.core.orders import End, Settlement, Update, settle
from sim.scenario.actions import DropEvent
from sim.selftest.planted.base import Planted, Sound, put, replace


class RejectsOnATimeOut(Planted):
    """An order without an answer is rejected when its time is over."""

    name = "rejects-on-a-time-out"
    breaks = ("false-terminal",)
    within = 60
    features = ("requests", "silence")

    def on_node(self, installation: Any) -> None:
        watch = installation.watch

        def look(now_ns: int) -> None:
            for account in watch.accounts:
                for order in account.book.inflight():
                    asked_ns = order.last_event.ts_init
                    is_over = now_ns - asked_ns >= watch._inflight_timeout_ns
                    if order.status_string() == "SUBMITTED" and is_over:
                        account.teller.ended(order, "no answer")
                        account._applier.end(order, End("REJECTED", now_ns, "no answer"))

        put(watch, "_look_for_inflight", look)


class BelievesARejection(Planted):
    """A rejection is passed on, though it quotes no refusal of the venue."""

    name = "believes-a-rejection"
    breaks = ("false-terminal",)
    within = 360
    features = ("requests",)

    def on_account(self, account: Any) -> None:
        put(account.venue, "is_final", lambda *_: True)


class NeverAsksForInFlight(Planted):
    """Orders that wait for an answer are not asked for."""

    name = "never-asks-for-in-flight"
    breaks = ("order-mismatch", "alert-missing", "fill-lost")
    within = 110
    features = ("requests", "silence")

    def on_node(self, installation: Any) -> None:
        put(installation.watch, "_look_for_inflight", lambda _: None)


class FillsUnheard(Sound):
    """`recon`, sound, while the stream tells of no fills."""

    name = "recon-fills-unheard"
    trouble = DropEvent(execution="TRADE", for_ns=300_000_000_000)


class DropsFillsOfCancelledOrders(Planted):
    """A trade of an order that is cancelled here is dropped."""

    name = "drops-fills-of-cancelled-orders"
    breaks = ("fill-lost",)
    within = 60
    features = ("cancellations",)
    control = FillsUnheard
    trouble = FillsUnheard.trouble

    def on_account(self, account: Any) -> None:
        def make(lacking: Any) -> Any:
            def left(symbol: str, trades: Sequence[Trade]) -> list[Trade]:
                return [
                    trade
                    for trade in lacking(symbol, trades)
                    if not _is_cancelled(account, symbol, trade)
                ]

            return left

        replace(account._collector, "lacking", make)


def _is_cancelled(account: Any, symbol: str, trade: Trade) -> bool:
    order = account.book.find(account.venue.instrument_id(symbol), trade.order_id, None)
    return order is not None and order.status_string() == "CANCELED"


class AmendmentsUnheard(Sound):
    """`recon`, sound, while the stream tells of no amendments."""

    name = "recon-amendments-unheard"
    trouble = DropEvent(execution="AMENDMENT", for_ns=300_000_000_000)


class IgnoresAmendments(Planted):
    """Other terms of an order that only a read shows are not applied."""

    name = "ignores-amendments"
    breaks = ("order-mismatch",)
    within = 110
    features = ("amendments", "by-hand")
    control = AmendmentsUnheard
    trouble = AmendmentsUnheard.trouble

    def on_account(self, account: Any) -> None:
        def make(do: Any) -> Any:
            def done(order: Any, venue: Any, step: Any) -> None:
                if not isinstance(step, Update):
                    do(order, venue, step)

            return done

        replace(account._applier, "_do", make)


class KeepsCancelledOrders(Planted):
    """A cancellation that only a read shows is not applied."""

    name = "keeps-cancelled-orders"
    breaks = ("order-mismatch",)
    within = 150
    features = ("cancellations", "events")

    def on_account(self, account: Any) -> None:
        def make(end: Any) -> Any:
            def ended(order: Any, what: End) -> None:
                if what.status != "CANCELED":
                    end(order, what)

            return ended

        replace(account.emitter, "end", make)


class TakesOldStatesForNew(Planted):
    """What was read of an order is applied, though the stream has told something newer."""

    name = "takes-old-states-for-new"
    breaks = ("order-mismatch", "alert-false")
    within = 170
    features = ("cancellations", "reads")

    def on_account(self, account: Any) -> None:
        def settled(order: Any, venue: Any, trades: Sequence[Trade]) -> Settlement:
            local = structs.replace(account.book.local(order), changed_ns=0, told_ns=0)
            return settle(local, venue, trades, account.venue.bounds)

        put(account._applier, "_settled", settled)


class UpdatesAnyway(Planted):
    """Each comparison updates the open orders, though their terms are what they were."""

    name = "updates-anyway"
    breaks = ("not-idempotent",)
    within = 20
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        def make(reconcile: Any) -> Any:
            async def reconciled(began_ns: int, *, is_start: bool) -> None:
                await reconcile(began_ns, is_start=is_start)
                await account._drained()
                for order in account.book.unsettled():
                    if order.status_string() == "ACCEPTED":
                        local = account.book.local(order)
                        terms = Update(local.quantity, local.price, local.trigger_price)
                        account.emitter.update(order, local.venue_order_id, terms, self.now_ns())

            return reconciled

        replace(account, "reconcile", make)


PLANTED: tuple[type[Planted], ...] = (
    RejectsOnATimeOut,
    BelievesARejection,
    NeverAsksForInFlight,
    DropsFillsOfCancelledOrders,
    IgnoresAmendments,
    KeepsCancelledOrders,
    TakesOldStatesForNew,
    UpdatesAnyway,
)
