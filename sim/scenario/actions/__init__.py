"""What can happen in a scenario, one struct for each action.

To add an action, add a struct with a `word` to the module of whoever acts; loader,
print, schema, reference and catalogue follow.  Its layer is that of its base, and the
first sentence of its docstring is what the catalogue says of it.  Durations are integer
nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.scenario.actions.account import (
    AddMargin,
    BurnBnb,
    Deleverage,
    LegAction,
    Liquidate,
    MarginCall,
    Restrict,
    SetLeverage,
    SetMarginType,
    SetMultiAssets,
    SetPositionMode,
)
from sim.scenario.actions.base import (
    AccountAction,
    Action,
    Fault,
    Layer,
    Matched,
    NodeAction,
    Order,
    StrategyAction,
    VenueAction,
)
from sim.scenario.actions.node import (
    Comeback,
    Kill,
    LoseWrites,
    Restart,
    Start,
    Stop,
    StopDatabase,
)
from sim.scenario.actions.reads import (
    FlapReads,
    HideTrades,
    LagReads,
    OmitRows,
    ReadFault,
    RepeatBoundaryRow,
    ShortenPages,
)
from sim.scenario.actions.requests import (
    AlterReply,
    DelayOrders,
    DelayReply,
    FailRequest,
    GarbleReply,
    LoseReply,
    RequestFault,
    SkewClock,
    Throttle,
)
from sim.scenario.actions.strategy import (
    Cancel,
    CancelAll,
    CancelBatch,
    Modify,
    OwnOrderAction,
    Query,
    Submit,
)
from sim.scenario.actions.streams import (
    AlterEvent,
    DelayEvent,
    Disconnect,
    DropEvent,
    DuplicateEvent,
    EventFault,
    ExpireListenKey,
    HalfOpen,
    HoldEvents,
    InjectEvent,
    MuteStreams,
    OpenStreams,
    RefuseStreams,
    ReorderEvents,
    RotateListenKey,
    ShutDownStreams,
    StreamFault,
)
from sim.scenario.actions.venue import (
    Depth,
    Expire,
    Fill,
    Fund,
    SetPrice,
    Settle,
    SymbolStatus,
    Transfer,
    Trigger,
    WebCancel,
    WebModify,
    WebSubmit,
)
from sim.scenario.actions.ws_api import (
    CallFault,
    CloseWsApi,
    FailWsApi,
    MuteWsApi,
)

__all__ = [
    "ACTIONS",
    "AccountAction",
    "Action",
    "AddMargin",
    "AlterEvent",
    "AlterReply",
    "BurnBnb",
    "CallFault",
    "Cancel",
    "CancelAll",
    "CancelBatch",
    "CloseWsApi",
    "Comeback",
    "DelayEvent",
    "DelayOrders",
    "DelayReply",
    "Deleverage",
    "Depth",
    "Disconnect",
    "DropEvent",
    "DuplicateEvent",
    "EventFault",
    "Expire",
    "ExpireListenKey",
    "FailRequest",
    "FailWsApi",
    "Fault",
    "Fill",
    "FlapReads",
    "Fund",
    "GarbleReply",
    "HalfOpen",
    "HideTrades",
    "HoldEvents",
    "InjectEvent",
    "Kill",
    "LagReads",
    "Layer",
    "LegAction",
    "Liquidate",
    "LoseReply",
    "LoseWrites",
    "MarginCall",
    "Matched",
    "Modify",
    "MuteStreams",
    "MuteWsApi",
    "NodeAction",
    "OmitRows",
    "OpenStreams",
    "Order",
    "OwnOrderAction",
    "Query",
    "ReadFault",
    "RefuseStreams",
    "ReorderEvents",
    "RepeatBoundaryRow",
    "RequestFault",
    "Restart",
    "Restrict",
    "RotateListenKey",
    "SetLeverage",
    "SetMarginType",
    "SetMultiAssets",
    "SetPositionMode",
    "SetPrice",
    "Settle",
    "ShortenPages",
    "ShutDownStreams",
    "SkewClock",
    "Start",
    "Stop",
    "StopDatabase",
    "StrategyAction",
    "StreamFault",
    "Submit",
    "SymbolStatus",
    "Throttle",
    "Transfer",
    "Trigger",
    "VenueAction",
    "WebCancel",
    "WebModify",
    "WebSubmit",
]


def _actions(base: type[Action]) -> Iterator[tuple[str, type[Action]]]:
    for cls in base.__subclasses__():
        if "word" in vars(cls):
            yield cls.word, cls
        yield from _actions(cls)


ACTIONS: dict[str, type[Action]] = dict(_actions(Action))
"""Every action by its word, in the order in which they are defined above."""
