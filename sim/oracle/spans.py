"""What differed between the venue and one process: subjects, and when."""

from __future__ import annotations

from typing import NamedTuple

from sim.oracle.ledgers import Process
from sim.oracle.subjects import Subject
from sim.oracle.timelines import Span, Text

SETTLE_NS = 5_000_000_000
"""How long a difference may last that nobody has to speak of."""

STREAM_NS = 1_000_000_000
"""What an event of the stream may take at the most.  NautilusTrader marks what it makes of an
order placed by hand as reconciliation, also when the stream has just told it of the order."""

type Spans = tuple[Span, ...]


class ProcessDifferences(NamedTuple):
    """The differences of one process.

    ``spans`` has the subjects that differed, the earliest first; ``reconciled`` the instants at
    which reconciliation events changed a subject.  ``traceless`` are the subjects of which
    nothing is left to be found once they are over: orders that the process never showed, which
    cease to differ only when they end without fills in scope, and legs of symbols that nothing
    names.  ``passing`` are the spans in which an order differs, for longer than the stream takes,
    only in what it asks for or while nobody knew that it waits for a trigger: they leave nothing,
    either.  ``by_client_id`` and ``by_venue_id`` say what an order of the node stands for; the
    latter only where the id is unknown to the venue.
    """

    process: Process
    spans: dict[Subject, Spans]
    reconciled: dict[Subject, list[int]]
    traceless: frozenset[Subject]
    passing: dict[Subject, Spans]
    by_client_id: dict[Text, Subject]
    by_venue_id: dict[Text, Subject]

    def is_traceless(self, subject: Subject, span: Span) -> bool:
        """Whether a difference that is over can no longer be found."""
        return subject in self.traceless or span in self.passing.get(subject, ())


def apart_from(spans: Spans, lasting: Spans) -> Spans:
    """Return the spans that meet none of those which last for longer than the stream takes."""
    if lasting == spans:
        return ()
    long = [each for each in lasting if each.until_ns - each.from_ns > STREAM_NS]
    return tuple(
        span for span in spans if not any(span.meets(each.from_ns, each.until_ns) for each in long)
    )
