"""A fuzzer over whole nodes: draws stories, runs them, judges them, shrinks and keeps failures.

Rules:

* Hypothesis draws the model of a scenario, and its print is the file that is kept.
* A story is a list of words.  Each becomes a record if it can happen at that point, and is
  passed over if not, so that shrinking may delete any of them.
* Swarm: each story has whole features switched off, so that some are not drowned by others.
* Quantities of fills are distinct powers of two: a position that is wrong names the fills that
  are missing, or are there twice.
"""

from sim.fuzz.checking import Violated, Worlds
from sim.fuzz.features import FEATURES, SETTINGS, swarms
from sim.fuzz.machine import StoryMachine
from sim.fuzz.mutations import mutations
from sim.fuzz.stories import scenarios

__all__ = [
    "FEATURES",
    "SETTINGS",
    "StoryMachine",
    "Violated",
    "Worlds",
    "mutations",
    "scenarios",
    "swarms",
]
