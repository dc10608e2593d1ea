"""Results as JUnit XML, for systems that show test reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from sim.report.outcome import Outcome

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(outcomes: Sequence[Outcome]) -> str:
    """Return the report of some runs.

    A run that is as its scenario expects is a passed test, whatever its verdict.
    An unexpected verdict is a failure, also where nothing could be concluded; so
    is a run that differs from its repetition.  A run that could not be judged is an
    error.  The type of a failure or an error says which it is.
    """
    tags = [_tag(outcome) for outcome in outcomes]
    suite = ElementTree.Element(
        "testsuite",
        name="recon run",
        tests=str(len(outcomes)),
        failures=str(tags.count("failure")),
        errors=str(tags.count("error")),
        time=f"{sum(outcome.result.wall_seconds for outcome in outcomes):.4f}",
    )
    for outcome, tag in zip(outcomes, tags, strict=True):
        result = outcome.result
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"{result.engine}.{result.nautilus_version}",
            name=result.scenario,
            file=result.scenario,
            time=f"{result.wall_seconds:.4f}",
        )
        if tag is not None:
            kind, message = _kind(outcome), _NOT_IN_XML.sub("\ufffd", _message(outcome))
            found = ElementTree.SubElement(case, tag, type=kind, message=message)
            found.text = _NOT_IN_XML.sub("\ufffd", _text(outcome))
    ElementTree.indent(suite)
    report: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return report.decode() + "\n"


def _tag(outcome: Outcome) -> str | None:
    if outcome.result.error is not None:
        return "error"
    return None if outcome.result.expected and outcome.is_deterministic else "failure"


def _kind(outcome: Outcome) -> str:
    return outcome.result.verdict if outcome.is_deterministic else "not-deterministic"


def _message(outcome: Outcome) -> str:
    result = outcome.result
    if result.error is not None:
        return result.error
    if not outcome.is_deterministic:
        return f"not deterministic: {result.digest} and {outcome.again}"
    if result.verdict == "inconclusive":
        return "inconclusive: " + "; ".join(result.reasons)
    violated = ", ".join(result.violated) or "nothing"
    return f"{result.verdict}, not as expected: violated {violated}"


def _text(outcome: Outcome) -> str:
    result = outcome.result
    lines = [f"{violation.property}: {violation.message}" for violation in result.violations]
    lines += [f"inconclusive: {reason}" for reason in result.reasons]
    if result.error is not None:
        lines.append(result.error)
    return "\n".join([*lines, f"replay: {outcome.replay}"])
