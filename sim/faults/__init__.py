"""The faults: each distorts how the truth is seen or reached, never the truth.

The fault model, per channel:

* A **request** may be answered in the venue's place with an error, or never be
  answered, so that the client sees its connection break.  Whether the venue acted on
  it is the fault's own statement: ``never``, ``before`` that, or ``after`` it.  The
  venue's own answer may be late, be no answer at all (half of one, a page, garbage), or
  have another field or header.  A request may wait before the matching engine has it.
  It is never garbled on its way in and never executed twice.
* The **gateway's clock** may be wrong, the matching engine's never is.
* A request of the **WebSocket API** may be answered with an error, or never; its connection
  may be closed, and new ones refused for a while.
* A **stream frame** may be dropped, repeated, late, held back with others and let go in
  another order, or altered in one field.  A frame that the venue has not sent may come.
  Frames that no fault names stay in order.
* A **stream connection** may be cut, silent, or dead without anybody noticing; it may be
  closed after a notice.  New ones may be refused for a while, or accepted and say nothing.
* A **listen key** may expire early, with or without notice, or be replaced by another while
  it lives on.
* A **read** may show the venue as it was some time ago: each endpoint at its own instant,
  one answer at one instant.  An answer may lack rows (of trades those of a moment ago, while
  later ones are shown), a page may be short or begin with a row of the one before.  No row is
  ever altered by this or invented.

Every fault ends, by a count or by a time, so that a run can always recover.  A
fault that never did anything is reported: a scenario that names it shows nothing.

One event is one event: a fault that counts events hits each copy of it, on every
connection that gets one.
"""

from __future__ import annotations

from sim.faults.armed import (
    Faults,
)
from sim.faults.base import (
    Distortion,
    Fault,
    Held,
    Holder,
    Late,
    Passage,
    Queued,
    Refusal,
    Substitute,
)
from sim.faults.frames import (
    AlteredFrame,
    DelayedFrame,
    DroppedFrame,
    DuplicatedFrame,
    FrameFault,
    HeldFrames,
    ReorderedFrames,
)
from sim.faults.replies import (
    Alteration,
    AlteredHeader,
    AlteredReply,
    GarbledReply,
)
from sim.faults.requests import (
    DelayedReply,
    FailedRequest,
    LostReply,
    QueuedOrders,
    RequestFault,
    Throttled,
    impaired_by,
    is_order_command,
    only_reduces,
    symbols_of,
)
from sim.faults.streams import (
    MutedStreams,
    RefusedHandshake,
    RotatedKey,
    StreamOutage,
)
from sim.faults.ws_api import (
    CallFault,
    FailedCall,
    UnansweredCall,
)

__all__ = [
    "Alteration",
    "AlteredFrame",
    "AlteredHeader",
    "AlteredReply",
    "CallFault",
    "Cut",
    "DelayedFrame",
    "DelayedReply",
    "Distortion",
    "DroppedFrame",
    "DuplicatedFrame",
    "FailedCall",
    "FailedRequest",
    "Fault",
    "Faults",
    "FrameFault",
    "GarbledReply",
    "Held",
    "HeldFrames",
    "Holder",
    "Late",
    "LostReply",
    "MutedStreams",
    "Passage",
    "Queued",
    "QueuedOrders",
    "ReadLag",
    "Refusal",
    "RefusedHandshake",
    "ReorderedFrames",
    "RequestFault",
    "RotatedKey",
    "StreamOutage",
    "Substitute",
    "Throttled",
    "TruncatedReply",
    "UnansweredCall",
    "impaired_by",
    "is_order_command",
    "only_reduces",
    "symbols_of",
]
