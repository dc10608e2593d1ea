"""Results as JUnit XML, for systems that show test reports."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from sim.report.result import Result


def junit_report(results: Sequence[Result]) -> str:
    """Return the report of some runs.

    A run that is as its scenario expects is a passed test, whatever its verdict.
    An unexpected verdict is a failure, an inconclusive run a skipped test, and a
    failure of the harness an error.
    """
    suite = ElementTree.Element(
        "testsuite",
        name="recon run",
        tests=str(len(results)),
        failures=str(sum(_tag(result) == "failure" for result in results)),
        errors=str(sum(_tag(result) == "error" for result in results)),
        skipped=str(sum(_tag(result) == "skipped" for result in results)),
        time=f"{sum(result.wall_seconds for result in results):.4f}",
    )
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"{result.engine}.{result.nautilus_version}",
            name=result.scenario,
            file=result.scenario,
            time=f"{result.wall_seconds:.4f}",
        )
        tag = _tag(result)
        if tag is not None:
            found = ElementTree.SubElement(case, tag, message=_message(result))
            found.text = "\n".join(f"{v.property}: {v.message}" for v in result.violations)
    ElementTree.indent(suite)
    text: str = ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)
    return text


def _tag(result: Result) -> str | None:
    if result.expected:
        return None
    return {"error": "error", "inconclusive": "skipped"}.get(result.verdict, "failure")


def _message(result: Result) -> str:
    if result.error is not None:
        return result.error
    if result.verdict == "inconclusive":
        return "; ".join(result.reasons)
    violated = ", ".join(result.violated) or "nothing"
    return f"{result.verdict}, not as expected: violated {violated}"
