"""Parts of pages that are written by the code, each between two markers."""

from __future__ import annotations


def between(page: str, begin: str, end: str, part: str) -> str:
    """Return a page with another part between its markers.

    Raises `ValueError` when a marker is missing.
    """
    head, found_begin, rest = page.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"the page has no {begin} ... {end}")
    return f"{head}{begin}\n\n{part}\n\n{end}{tail}"
