"""Bugs in what is remembered: the ledger, what was loaded, whose an order is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sim.scenario import Scenario
from sim.scenario.actions import Action, LoseWrites, StopDatabase, Submit
from sim.scenario.model import Record
from sim.selftest.planted.base import Instead, Planted, put, replace
from sim.selftest.planted.legs import ShortLookback
from sim.selftest.planted.orders import FillsUnheard


class ForgetsTheLedger(Planted):
    """A process that starts does not load the ledger of the one before."""

    name = "forgets-the-ledger"
    breaks = ("fill-lost", "phantom-fill", "position-mismatch")
    within = 240
    features = ("kills", "by-hand")
    control = ShortLookback
    lookback_mins = 1

    def on_account(self, account: Any) -> None:
        ledger = account.ledger
        ledger.first_contact_ns = ledger.complete_until_ns = 0
        ledger._books.clear()


class ForgetsOrdersOfTheCache(Planted):
    """What the ledger has not noted counts as not applied, though a loaded order has it."""

    name = "forgets-orders-of-the-cache"
    breaks = ("fill-duplicated", "position-mismatch")
    within = 30
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        put(account._collector, "_book", Instead(account.book, holder=lambda *_: None))


class ForgetsClaims(Planted):
    """What a strategy claims is put under nobody's name."""

    name = "forgets-claims"
    breaks = ("position-mismatch",)
    within = 70
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        put(account._applier._adopter._ownership, "claim", lambda _: None)


class IgnoresManualOrders(Planted):
    """Orders that the node has not sent are none of its business."""

    name = "ignores-manual-orders"
    breaks = ("fill-lost", "order-mismatch")
    within = 20
    features = ("by-hand", "events")

    def on_account(self, account: Any) -> None:
        put(account._applier._adopter, "adopt", lambda *_: None)


class LeavesTornPositions(Planted):
    """A fill that a crash kept from its position stays missing there."""

    name = "leaves-torn-positions"
    breaks = ("position-mismatch",)
    within = 40
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        put(account.legs, "_repair", lambda *_, **__: False)


class TakesHistoryForNew(Planted):
    """An order that was cancelled here is put into the node again when it is seen anew."""

    name = "takes-history-for-new"
    breaks = ("fill-duplicated", "order-mismatch", "phantom-fill")
    within = 60
    features = ("cancellations",)
    control = FillsUnheard
    trouble = FillsUnheard.trouble

    def on_account(self, account: Any) -> None:
        def make(find: Any) -> Any:
            def found(*args: Any) -> Any:
                order = find(*args)
                return None if order is not None and order.is_closed else order

            return found

        replace(account._applier, "find", make)


class SeesToNothing(Planted):
    """What the cache's database has lost stays lost."""

    name = "sees-to-nothing"
    breaks = ("fill-lost", "position-mismatch", "order-mismatch")
    within = 120
    features = ("database", "kills")

    @classmethod
    def told(cls, story: Scenario) -> Scenario:
        """Lose what is written as an order is sent, once in each story."""
        return _troubled(story, lambda node: LoseWrites(node=node, for_ns=1_000_000_000))

    def on_node(self, installation: Any) -> None:
        async def nothing(line: Any) -> None:
            """See to nothing."""

        put(installation.audit, "run", nothing)


class TrustsTheDatabase(Planted):
    """A database that was away is taken to have what it had."""

    name = "trusts-the-database"
    breaks = ("fill-lost", "position-mismatch", "order-mismatch")
    within = 120
    features = ("database", "kills")

    @classmethod
    def told(cls, story: Scenario) -> Scenario:
        """Have the database forget all, a little after an order is sent, once in each story."""
        gone_ns, all_ns = 1_000_000_000, 3_600_000_000_000
        return _troubled(
            story,
            lambda node: StopDatabase(node=node, for_ns=gone_ns, lose_ns=all_ns),
            after_ns=5_000_000_000,
        )

    def on_node(self, installation: Any) -> None:
        put(installation.audit, "doubt", lambda: None)


def _troubled(story: Scenario, trouble: Callable[[str], Action], *, after_ns: int = 0) -> Scenario:
    """Have trouble with a node's database when it sends its first order, or a little later."""
    for record in story.timeline:
        if isinstance(record.action, Submit):
            at_ns = record.at_ns + after_ns
            begins = Record(at_ns=at_ns, action=trouble(record.action.node))
            earlier = [each for each in story.timeline if each.at_ns < at_ns]
            later = story.timeline[len(earlier) :]
            return msgspec.structs.replace(story, timeline=(*earlier, begins, *later))
    return story


PLANTED: tuple[type[Planted], ...] = (
    ForgetsTheLedger,
    ForgetsOrdersOfTheCache,
    ForgetsClaims,
    IgnoresManualOrders,
    LeavesTornPositions,
    TakesHistoryForNew,
    SeesToNothing,
    TrustsTheDatabase,
)
