"""What ``recon serve`` prints for somebody's client, as the Python that it is."""

from __future__ import annotations

import textwrap

from sim.serve.how_to import how_to
from sim.venue_setup import venue_config
from tests.wire.in_process import scenario_of


def printed(client: str, at: str, words: str = "") -> str:
    """Return the lines for a client, of a venue of a scenario's words at an address."""
    host, _, port = at.rpartition(":")
    text = how_to(host, int(port), venue_config(scenario_of(words).venue))
    _, _, after = text.partition(f"\n{client}")
    lines = after.partition("\n\n")[0].splitlines()[1:]
    return textwrap.dedent("\n".join(lines))
