"""The faults: each distorts how the truth is seen or reached, never the truth.

The fault model, per channel:

* A **request** may be answered in the venue's place with an error, or never be
  answered, so that the client sees its connection break.  Whether the venue acted on
  it is the fault's own statement: ``never``, ``before`` that, or ``after`` it.  The
  venue's own answer may be late, or break off in the middle.  A request is never
  garbled on its way in and never executed twice.
* A **stream frame** may be dropped, repeated or late.  A frame is never altered
  and never invented.  Frames that no fault names stay in order.
* A **stream connection** may be cut, and new ones refused for a while.
* A request of the **WebSocket API** may be answered with an error, or never; its connection
  may be closed, and new ones refused for a while.
* A **listen key** may expire early, with or without notice.
* A **read** may show the venue as it was some time ago.  It is never a mixture
  of two instants within one answer, but the reads of trades may lack a trade that was
  made a moment ago and show later ones.

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
    Cut,
    Distortion,
    Fault,
    Late,
    Substitute,
)
from sim.faults.requests import (
    DelayedReply,
    FailedRequest,
    LostReply,
    ReadLag,
    RequestFault,
    TruncatedReply,
    impaired_by,
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
    "Late",
    "LostReply",
    "ReadLag",
    "RequestFault",
    "StreamOutage",
    "Substitute",
    "TruncatedReply",
    "UnansweredCall",
    "impaired_by",
    "symbols_of",
]
