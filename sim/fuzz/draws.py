"""Draws that depend on a seed and on nothing else.

Left to itself, Hypothesis goes by more than its seed: some of its draws are constants that stand in
whatever local modules are loaded, and many of its examples are others with parts repeated.  The
first would give a command, its workers and a test different stories of one seed, and the second
gives stories of which every fourth is the same as one before.  A provider is Hypothesis's way to
draw otherwise.
"""

from __future__ import annotations

from typing import Any

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

BACKEND = "sim-plain"
"""The name of these draws, for ``hypothesis.settings``."""


class PlainProvider(HypothesisProvider):
    """Hypothesis's draws without constants of source code."""

    def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:
        return None


AVAILABLE_PROVIDERS[BACKEND] = f"{__name__}.{PlainProvider.__name__}"
