"""`recon` with one defect each, by what is broken: see `base` for what a planted bug is."""

from sim.selftest.planted import conduct, fills, legs, memory, orders, reads
from sim.selftest.planted.base import Planted

PLANTED: tuple[type[Planted], ...] = tuple(
    planted
    for module in (reads, memory, orders, fills, legs, conduct)
    for planted in module.PLANTED
)
"""Every planted bug.  A new one is added to the list of its module."""
