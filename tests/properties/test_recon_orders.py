"""What follows for an order never asks of NautilusTrader what its orders cannot do.

Steps are carried out by an account of the state machine that is the tests' own; that it
is NautilusTrader's is a test, too (`tests/unit/recon/core/test_core_states.py`).
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recon.core.facts import ZERO
from recon.core.orders import (
    CLOSED,
    ROUNDING_NS,
    Accept,
    Continue,
    End,
    Fill,
    LocalOrder,
    Refuse,
    Settlement,
    Update,
    settle,
    settle_absent,
)
from tests.properties.recon_strategies import (
    BOUNDS,
    LAG_NS,
    SECOND_NS,
    START_NS,
    NodeOrder,
    Story,
    stories,
)

PROOF_NS = BOUNDS.receive_window_ns + LAG_NS
UNSTARTED = ("INITIALIZED", "SUBMITTED")
many = settings(max_examples=200)


def settled(story: Story) -> Settlement:
    return settle(story.local, story.venue, story.lacking, BOUNDS)


def carried_out(story: Story) -> tuple[NodeOrder, list[Settlement]]:
    """The order after all that follows, and what followed: a continuation if there is one."""
    settlement = settled(story)
    order, found = NodeOrder(story.local, story.previous), [settlement]
    if any(isinstance(step, Continue) for step in settlement.steps):
        (go_on,) = settlement.steps
        assert isinstance(go_on, Continue)
        order = NodeOrder(continuation(story, go_on.quantity), "INITIALIZED")
        found.append(settle(order.local, story.venue, story.lacking, BOUNDS))
    for step in found[-1].steps:
        order.carry_out(step, story.venue.order_id, story.now_ns + 1)
    return order, found


def continuation(story: Story, quantity: Decimal) -> LocalOrder:
    """The order that goes on for one that cannot change any more."""
    assert quantity > 0
    return replace(
        story.local,
        client_order_id="O-1-C1",
        venue_order_id=None,
        status="INITIALIZED",
        quantity=quantity,
        filled=ZERO,
        prior=story.venue.quantity - quantity,
        changed_ns=story.now_ns,
        requested_ns=story.now_ns,
        told_ns=0,
    )


@many
@given(stories())
def test_steps_can_be_carried_out_fills_first_and_each_trade_once(story: Story) -> None:
    order, found = carried_out(story)
    event(story.local.status)
    kinds = [type(step) for step in found[-1].steps]

    assert order.applied == list(story.lacking)
    places = {Accept: 0, Update: 1, Fill: 2, End: 3, Refuse: 3}
    assert [places[kind] for kind in kinds] == sorted(places[kind] for kind in kinds)
    assert all(kinds.count(kind) <= 1 for kind in (Accept, Update, End, Refuse))
    assert not (End in kinds and Refuse in kinds)


@many
@given(stories())
def test_an_order_ends_where_the_venue_says_so_and_all_is_known(story: Story) -> None:
    order, found = carried_out(story)
    filled = order.local.filled + order.local.prior
    was_closed = story.local.status in CLOSED
    is_closed = order.local.status in CLOSED

    if is_closed and not was_closed:
        assert filled >= story.venue.filled
        if story.venue.is_open:
            # Its trades are newer than what the venue showed: they have filled it.
            assert order.local.status == "FILLED"
            assert filled >= story.venue.quantity or story.is_late
        else:
            assert found[-1].open_question is None
    if any(isinstance(step, End) for step in found[-1].steps):
        assert not story.venue.is_open
    if filled < story.venue.filled:
        unseen = story.venue.filled - filled
        assert found[-1].open_question == (
            f"{unseen} of it was executed in trades that are not served yet"
        )


@many
@given(stories())
def test_what_follows_is_said_to_be_a_difference_and_when_it_was(story: Story) -> None:
    """A request that is refused is none: both show the order as it stands."""
    _, found = carried_out(story)
    for settlement in found:
        steps = settlement.steps
        told = [step for step in steps if not isinstance(step, Refuse)]
        assert settlement.is_difference is (bool(told) or not story.is_complete)
        assert all(step.at_ns == story.venue.updated_ns for step in steps if isinstance(step, End))
    if len(found) > 1:
        assert found[0].open_question is None


@many
@given(stories())
def test_where_all_is_known_the_order_is_what_the_venue_shows(story: Story) -> None:
    assume(story.is_complete)
    order, found = carried_out(story)
    local = order.local
    if found[-1].open_question is not None:
        assert story.venue.is_open
        return

    assert local.status not in UNSTARTED
    if not story.venue.is_open:
        assert local.status in CLOSED
        if story.venue.status == "FILLED" and story.lacking:
            assert local.status == "FILLED"
            assert local.filled == local.quantity
        elif local.status not in (story.local.status, "FILLED"):
            assert local.status in (story.venue.status, "CANCELED")
    elif not story.is_late and len(found) == 1:
        if local.status not in CLOSED:
            assert (local.quantity, local.price) == (story.venue.quantity, story.venue.price)
        # A fill of an order that had ended here fills it only where that fills the venue's.
        if local.status == "FILLED" and order.applied:
            assert local.filled + local.prior >= story.venue.quantity


@many
@given(stories())
def test_settling_twice_changes_nothing_more(story: Story) -> None:
    order, _ = carried_out(story)
    again = settle(order.local, story.venue, (), BOUNDS)

    assert again.steps == ()


@many
@given(stories(is_late=True))
def test_what_is_older_than_what_changed_here_takes_nothing_back(story: Story) -> None:
    order, found = carried_out(story)
    steps = found[-1].steps

    assert not any(isinstance(step, Refuse | End) for step in steps)
    if len(found) > 1:
        # An end here cannot stand beside an order that stands, if no read can be behind.
        was_refused = story.local.status in ("REJECTED", "DENIED", "EXPIRED")
        assert (
            story.lacking or was_refused or story.venue.asked_ns > story.local.changed_ns + LAG_NS
        )
        return
    assert order.local.quantity >= story.local.quantity
    if order.local.quantity == story.local.quantity:
        assert not any(isinstance(step, Update) for step in steps)
    if story.is_complete and order.applied:
        # It shows no more than is known here: not that the order has become larger again.
        if order.local.filled <= story.local.quantity:
            assert order.local.quantity == story.local.quantity
        if story.local.status == "CANCELED" and order.local.status == "FILLED":
            assert found[-1].open_question is None
    if story.local.status in CLOSED and order.local.status not in CLOSED:
        # A fill has opened it again, which the venue is asked about.
        assert story.lacking
        assert found[-1].open_question is not None


@many
@given(stories(is_late=True))
def test_an_old_answer_makes_no_order_larger_that_its_fills_have_filled(story: Story) -> None:
    """It was larger at the venue once, or will be; what has filled it here is newer."""
    assume(story.lacking and story.is_complete and story.local.status not in CLOSED)
    filled = story.local.filled + story.gained
    local = replace(story.local, quantity=filled)
    venue = replace(story.venue, quantity=filled + local.prior + 1)
    order, found = carried_out(replace(story, local=local, venue=venue))

    assert order.local.status == "FILLED"
    assert order.local.quantity == filled
    assert not any(isinstance(step, Update) for step in found[-1].steps)


@given(stories(is_late=True), st.integers(0, 2))
def test_what_was_filled_here_is_filled_whatever_an_answer_shows(story: Story, more: int) -> None:
    filled = story.venue.filled + more
    assume(filled > 0)
    local = replace(
        story.local, status="FILLED", quantity=filled, filled=filled, prior=ZERO, venue_order_id="1"
    )

    assert settle(local, story.venue, (), BOUNDS) == Settlement()


@given(stories(), st.sampled_from([-1, 0, 1]) | st.integers(-SECOND_NS, SECOND_NS))
def test_an_answer_is_behind_what_was_told_when_no_float_explains_it(
    story: Story, more_ns: int
) -> None:
    venue = replace(story.venue, status="NEW", filled=ZERO, price=Decimal(48_000))
    local = replace(
        story.local,
        status="ACCEPTED",
        venue_order_id="1",
        filled=ZERO,
        prior=ZERO,
        changed_ns=venue.asked_ns,
        told_ns=venue.updated_ns + ROUNDING_NS + more_ns,
    )
    found = settle(local, venue, (), BOUNDS)

    assert bool(found.steps) is (more_ns <= 0)


# -- what the venue says does not exist -----------------------------------------------------


@many
@given(
    stories(),
    st.sampled_from([LAG_NS - 1, LAG_NS, PROOF_NS - 1, PROOF_NS])
    | st.integers(-300, 300).map(lambda secs: secs * SECOND_NS),
    st.integers(0, 100),
)
def test_absence_ends_an_order_only_after_the_proof_time(
    story: Story, apart_ns: int, days: int
) -> None:
    local = story.local
    asked_ns = max(local.changed_ns, local.requested_ns) + apart_ns
    created_ns = START_NS - days * 86_400 * SECOND_NS
    found = settle_absent(local, asked_ns, BOUNDS, asked_ns + 1, created_ns)
    order = NodeOrder(local, story.previous)
    for step in found.steps:
        assert isinstance(step, End)
        order.carry_out(step, "1", asked_ns + 1)

    is_proof = apart_ns >= PROOF_NS
    # Node and venue show different things as soon as no read can be behind.
    assert found.is_difference is (local.status not in CLOSED and apart_ns >= LAG_NS)
    if local.status in CLOSED:
        assert found == Settlement()
    elif not is_proof:
        assert found.steps == ()
        assert found.open_question is not None
    elif local.venue_order_id is None:
        assert order.local.status in ("REJECTED", "CANCELED")
    else:
        was_executed = bool(local.filled or local.prior)
        is_forgotten = days > (90 if was_executed else 3)
        if abs(days - (90 if was_executed else 3)) > 1:
            assert bool(found.steps) is is_forgotten
            assert (found.open_question is None) is is_forgotten
    again = settle_absent(order.local, asked_ns, BOUNDS, asked_ns + 2, created_ns)
    assert again.steps == ()
