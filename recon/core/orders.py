"""What follows for one order of the node from what the venue says of it.

Rules of this file, by their numbers in the design:

1. Executed quantity is a check.  Where the trades that are known do not add up to it, the
   order is *incomplete*: what is known is applied, and it is asked for again.
3. No order ends without the venue's word for it.  That an order does not exist is proof
   only when it was asked for so late that no request of ours can still be under way and
   no read be behind: after the request, the receive window and the read-lag bound.
4. Fills before the end.  An order that cannot change any more here (rejected, expired,
   denied, filled) goes on in a *continuation order*: the same strategy, side, price and
   quantity, of which what came before counts as filled; the same order at the venue.
6. What the venue said is as old as the question.  What changed here since is not judged
   by it; a trade and an end are facts all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from recon.core.facts import ZERO, Side, Trade, VenueOrder

UNSENT = frozenset({"INITIALIZED", "EMULATED", "RELEASED"})
INFLIGHT = frozenset({"SUBMITTED", "PENDING_UPDATE", "PENDING_CANCEL"})
BEYOND_CHANGE = frozenset({"REJECTED", "EXPIRED", "DENIED", "FILLED"})
CLOSED = BEYOND_CHANGE | {"CANCELED"}

UNFILLED_SERVED_NS = 3 * 86_400 * 1_000_000_000
"""How long Binance serves an order that ended unfilled, counted from its creation ("Query
Order": order status is CANCELED or EXPIRED and order has NO filled trade and created time
+ 3 days < current time)."""

FILLED_SERVED_NS = 90 * 86_400 * 1_000_000_000
"""How long it serves any other ("Query Order": or created time + 90 days < current time)."""


ROUNDING_NS = 500_000
"""How far two prints of one time of the venue may be apart: it prints milliseconds, and
NautilusTrader's adapter turns them into nanoseconds through a float."""


PATIENCE_NS = 60 * 1_000_000_000
"""How long a request to change or cancel is waited for at a venue that accepts it at any time."""


class Bounds(msgspec.Struct, frozen=True):
    """How long something may take, at the most.

    ``receive_window_ns`` is how long after its timestamp the venue accepts a request,
    ``read_lag_ns`` how far an answer may be behind the truth.
    """

    receive_window_ns: int
    read_lag_ns: int

    @property
    def proof_ns(self) -> int:
        """After a request, how long until its absence at the venue proves something."""
        return self.receive_window_ns + self.read_lag_ns

    @property
    def refusal_ns(self) -> int:
        """After a request to change or cancel, how long until the order counts as left alone.

        Nothing is lost by it: if that is carried out after all, the venue tells it then.
        """
        return min(self.receive_window_ns, PATIENCE_NS) + self.read_lag_ns


class LocalOrder(msgspec.Struct, frozen=True):
    """One order as the node holds it.

    ``status`` is NautilusTrader's name for it.  ``prior`` is what was filled before the
    first contact and is part of an opening balance.  ``changed_ns`` is the local time of
    the last change, ``told_ns`` the time of the venue that it carries, and ``requested_ns``
    when the request was made that is not answered yet, or the first one.
    """

    client_order_id: str
    venue_order_id: str | None
    symbol: str
    side: Side
    status: str
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    is_conditional: bool
    changed_ns: int
    told_ns: int
    requested_ns: int
    prior: Decimal = ZERO
    trigger_price: Decimal | None = None

    @property
    def is_closed(self) -> bool:
        return self.status in CLOSED

    @property
    def is_open(self) -> bool:
        """Whether it is shown as standing at the venue."""
        return not self.is_closed and self.status not in UNSENT and self.status != "SUBMITTED"


# -- what follows ---------------------------------------------------------------------


class Accept(msgspec.Struct, frozen=True, tag=True):
    """The venue has the order."""


class Update(msgspec.Struct, frozen=True, tag=True):
    """The order has other terms, or another id, at the venue."""

    quantity: Decimal
    price: Decimal | None
    trigger_price: Decimal | None


class Fill(msgspec.Struct, frozen=True, tag=True):
    """A trade of the order that the node lacks."""

    trade: Trade


class End(msgspec.Struct, frozen=True, tag=True):
    """The order has ended: ``CANCELED``, ``EXPIRED`` or ``REJECTED``."""

    status: str
    at_ns: int
    reason: str = ""


class Refuse(msgspec.Struct, frozen=True, tag=True):
    """The request that the order waits for has not been carried out and cannot be any more."""

    reason: str


class Continue(msgspec.Struct, frozen=True, tag=True):
    """A continuation order has to take over, with this quantity."""

    quantity: Decimal


type Step = Accept | Update | Fill | End | Refuse | Continue


class Settlement(msgspec.Struct, frozen=True):
    """What follows for one order.

    ``open_question`` says what is still not known; the order has to be asked for again.
    ``is_difference`` says whether node and venue showed different things.
    """

    steps: tuple[Step, ...] = ()
    open_question: str | None = None
    is_difference: bool = False


NOTHING = Settlement()


def is_another(local: LocalOrder, venue: VenueOrder, bounds: Bounds) -> bool:
    """Whether an order of the venue only shares its client order id with one of the node.

    Binance wants such ids to be unique among open orders only.  An order that was made
    before the node asked for its own is not the node's.
    """
    return (
        local.venue_order_id is None
        and local.status in UNSENT | {"SUBMITTED"}
        and venue.created_ns < local.requested_ns - bounds.receive_window_ns
    )


def settle(
    local: LocalOrder, venue: VenueOrder, trades: Sequence[Trade], bounds: Bounds
) -> Settlement:
    """Return what follows for an order that the venue has.

    Parameters
    ----------
    local
        The order as the node holds it now.
    venue
        What the venue said of it.
    trades
        Its trades that the node lacks, oldest first.
    """
    if local.status in BEYOND_CHANGE or _is_falsely_canceled(local, venue, bounds):
        return _continued(local, venue, trades)
    steps: list[Step] = []
    status = local.status
    gained = sum((trade.quantity for trade in trades), ZERO)
    filled = local.filled + gained
    is_complete = filled + local.prior >= venue.filled
    ends_filled = venue.status == "FILLED" and is_complete
    is_late = local.changed_ns > venue.asked_ns or _is_older(venue, local)

    # Until it is accepted here a request that was refused has no state to return to.
    is_new = status in UNSENT or (status in INFLIGHT and local.venue_order_id is None)
    if is_new:
        steps.append(Accept())
    quantity, price, trigger_price = local.quantity, local.price, local.trigger_price
    has_other_id = local.venue_order_id not in (None, venue.order_id)
    if venue.is_open and not is_late and status != "CANCELED":
        quantity, price, trigger_price = _terms_of(venue, local)
    # What is to be filled must fit in, and fill the order only if it has filled the venue's.
    # With its last fill the order is filled, however much it had asked for, or had been
    # filled with before the first contact.
    # What was executed never becomes less: what shows more of it is newer, too.
    is_newer = not venue.is_open or not is_late or not is_complete
    if filled > quantity or (filled == quantity and is_newer):
        quantity = max(venue.quantity, filled)
    if ends_filled and gained:
        quantity = filled
    if has_other_id or (quantity, price, trigger_price) != (
        local.quantity,
        local.price,
        local.trigger_price,
    ):
        steps.append(Update(quantity, price, trigger_price))
    steps.extend(Fill(trade) for trade in trades)

    open_question = None
    if not is_complete:  # what was executed never becomes less, however old the answer
        unseen = venue.filled - filled - local.prior
        open_question = _unseen(unseen)
    elif not venue.is_open and not (ends_filled and gained):
        if status != "CANCELED" or gained:
            steps.append(_ending(venue, local))
    elif venue.is_open and status in ("PENDING_CANCEL", "PENDING_UPDATE"):
        is_answered = any(isinstance(step, Update) for step in steps)
        if not is_answered or status == "PENDING_CANCEL":
            if venue.asked_ns >= local.requested_ns + bounds.refusal_ns and not is_late:
                # An acceptance or a fill has taken the order out of that state already.
                if not (is_new or gained):
                    steps.append(Refuse("the venue has not carried it out"))
            else:
                open_question = "the request may still be carried out"
    elif status == "CANCELED" and gained and filled < quantity:
        open_question = "it had ended here, a fill has opened it again, and the venue shows it open"
    is_difference = not is_complete or any(not isinstance(step, Refuse) for step in steps)
    return Settlement(tuple(steps), open_question, is_difference)


def settle_absent(
    local: LocalOrder, asked_ns: int, bounds: Bounds, now_ns: int, created_ns: int
) -> Settlement:
    """Return what follows for an order that the venue says does not exist.

    ``asked_ns`` is when that was asked, ``created_ns`` when the order was made here.
    """
    if local.is_closed or local.status == "EMULATED":
        return NOTHING
    moved_ns = max(local.requested_ns, local.changed_ns)
    if asked_ns < moved_ns + bounds.proof_ns:
        return Settlement(
            open_question="the venue does not know it, which proves nothing yet",
            is_difference=asked_ns >= moved_ns + bounds.read_lag_ns,
        )
    if local.status in UNSENT or local.venue_order_id is None:
        # NautilusTrader lets an order that its emulator has released be cancelled only.
        status = "CANCELED" if local.status == "RELEASED" else "REJECTED"
        step = End(status, now_ns, "it never reached the venue")
    elif asked_ns - created_ns > (
        FILLED_SERVED_NS if local.filled or local.prior else UNFILLED_SERVED_NS
    ):
        step = End("CANCELED", now_ns, "the venue no longer serves it")
    else:
        return Settlement(
            open_question="the venue had it and now says that it does not exist",
            is_difference=True,
        )
    return Settlement((step,), None, True)


def _is_falsely_canceled(local: LocalOrder, venue: VenueOrder, bounds: Bounds) -> bool:
    """Whether an order that ended here stands at the venue, and no read can be behind."""
    if local.status != "CANCELED" or not venue.is_open:
        return False
    return venue.asked_ns > local.changed_ns + bounds.read_lag_ns


def _is_older(venue: VenueOrder, local: LocalOrder) -> bool:
    """Whether the venue had told the node something newer already."""
    return venue.updated_ns < local.told_ns - ROUNDING_NS


def _continued(local: LocalOrder, venue: VenueOrder, trades: Sequence[Trade]) -> Settlement:
    gained = sum((trade.quantity for trade in trades), ZERO)
    rest = venue.quantity - local.filled - local.prior
    # A read that is behind: what was filled here is filled, and what the venue itself said
    # to have expired has expired.
    is_behind = local.status == "FILLED" or (local.status == "EXPIRED" and _is_older(venue, local))
    if not trades and (is_behind or not venue.is_open):
        unseen = venue.filled - local.filled - local.prior
        return NOTHING if unseen <= 0 else Settlement((), _unseen(unseen), True)
    if max(rest, gained) <= 0:
        return Settlement(open_question="the venue shows it open, and all of it is executed")
    return Settlement((Continue(max(rest, gained)),), None, True)


def _unseen(quantity: Decimal) -> str:
    return f"{quantity} of it was executed in trades that are not served yet"


def _terms_of(
    venue: VenueOrder, local: LocalOrder
) -> tuple[Decimal, Decimal | None, Decimal | None]:
    quantity = venue.quantity or local.quantity  # closePosition orders have none
    price = local.price if local.price is None or venue.price is None else venue.price
    trigger = local.trigger_price
    if trigger is not None and venue.trigger_price is not None:
        trigger = venue.trigger_price
    return quantity, price, trigger


def _ending(venue: VenueOrder, local: LocalOrder) -> End:
    if venue.status == "FILLED":
        # It cannot become FILLED here: what was filled before the first contact, and
        # nothing after it, has filled it.
        return End("CANCELED", venue.updated_ns, "it was filled before the first contact")
    # A fill on a cancelled order opened it again: it ends as it had ended.
    status = "CANCELED" if local.status == "CANCELED" else venue.status
    return End(status, venue.updated_ns)
