"""A run as it concerns each of its nodes.

* A node sees the accounts that it trades on, and of them everything: the orders of another node
  on the same account are external to it.
* A fault that hits another node, or another account, excuses nothing.
* What is nobody's in particular, such as what was still pending at the end, is told once.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import asdict, replace

from sim.observation import Observation


def views(observation: Observation) -> Iterator[Observation]:
    """One observation for each node; that of the only node is the whole."""
    if not observation.sights:
        yield observation
        return
    names = list(observation.sights)
    for name, sight in observation.sights.items():
        is_first = name == names[0]
        words = asdict(sight)
        accounts = words.pop("accounts")
        yield replace(
            observation,
            **words,
            sights={},
            trades=tuple(t for t in observation.trades if t.account in accounts),
            orders=tuple(o for o in observation.orders if o.account in accounts),
            positions=tuple(p for p in observation.positions if p.account in accounts),
            adjustments=tuple(a for a in observation.adjustments if a.account in accounts),
            incarnations=tuple(i for i in observation.incarnations if i.node == name),
            impairments=tuple(
                i
                for i in observation.impairments
                if i.node in ("", name) and (not i.account or i.account in accounts)
            ),
            crashes=tuple(
                c
                for c in observation.crashes
                if c.node == name or (is_first and c.node not in names)
            ),
            pending=observation.pending if is_first else None,
        )
