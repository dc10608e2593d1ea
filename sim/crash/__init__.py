"""Crash points: a node is killed at every step of a scenario, restarted, and judged.

Rules:

* The points are those of a real run of the scenario with the engine: everything that happens
  to any process of any node between the node's first start and the end of the quiet time, each
  happening once.  What an engine writes while its first process is built comes before a point
  can be armed, and has no name.
* A point is named by what happened and how often that had happened: a write by its key, a
  request by its client, method and path, an event by its type and execution type.
* A kill is a ``restart`` that is armed at the node's first start, before all other records.  Up
  to its point the run is the recorded one; a point that is not reached there is an error of the
  harness, and so is a cache that cannot be damaged as was planned.
* The fates of the cache: kept; stale, without the last `LOSSES_NS` of writes, the least that
  loses anything; torn, inside the last fill of an order that the file names; lost.  A fate that
  would lose nothing of what is not older than a minute is skipped, and counted as that.
* What is judged is whether a property is violated.  The rest of the story goes on as it can: an
  order that a dead strategy should have sent is never sent, a fill of it finds no order.  Such
  runs are inconclusive, which is no violation, and are counted with their reasons.  What the
  file expects of the venue's positions is left out, as is what it knows of engines.
"""
