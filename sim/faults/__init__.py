"""The faults: each distorts how the truth is seen or reached, never the truth.

The fault model, per channel:

* A **request** may be answered in the venue's place with an error, or never be
  answered, so that the client sees its connection break.  Whether the venue acted on
  it is the fault's own statement: ``never``, ``before`` that, or ``after`` it.  The
  venue's own answer may be late, be no answer at all (half of one, a page, garbage), or
  have another field or header.  A request may wait before the matching engine has it.
  It is never garbled on its way in and never executed twice.
* The **gateway's clock** may be wrong, the matching engine's never is.
* A **stream frame** may be dropped, repeated or late.  A frame is never altered
  and never invented.  Frames that no fault names stay in order.
* A **stream connection** may be cut, and new ones refused for a while.
* A request of the **WebSocket API** may be answered with an error, or never; its connection
  may be closed, and new ones refused for a while.
* A **listen key** may expire early, with or without notice.
* A **read** may show the venue as it was some time ago: each endpoint at its own instant,
  one answer at one instant.  An answer may lack rows, a page may be short or begin with a
  row of the one before.  No row is ever altered by this or invented.

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
    Late,
    Queued,
    Substitute,
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
    DelayedFrame,
    DroppedFrame,
    DuplicatedFrame,
    FrameFault,
    StreamOutage,
)
from sim.faults.ws_api import (
    CallFault,
    FailedCall,
    UnansweredCall,
)

__all__ = [
    "Alteration",
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
    "Late",
    "LostReply",
    "Queued",
    "QueuedOrders",
    "RequestFault",
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
