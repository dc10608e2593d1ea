"""The option that says how many processes run scenarios."""

from __future__ import annotations

import os
from typing import Any

import click


class Jobs(click.ParamType[int]):
    """A number of processes."""

    name = "jobs"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        if value not in ("auto", "0"):
            return click.IntRange(min=1).convert(value, param, ctx)
        return os.process_cpu_count() or 1
