"""Failures that are kept: scenario files that a person can read and that can be replayed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sim.fuzz.hunt import Found


def keep(found: Found, engine: str, folder: Path) -> Path:
    """Write the file of a failure, named by its property and content; return its path."""
    head = (
        f"# {found.property} with the engine {engine}, from the seed {found.seed}:\n"
        f"# {' '.join(found.message.split())}\n"
    )
    digest = hashlib.blake2b(found.text.encode(), digest_size=5).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{found.property}-{digest}.yaml"
    path.write_text(head + found.text)
    return path
