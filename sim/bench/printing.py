"""How figures are printed: ``name: value``, one a line."""

from __future__ import annotations


def report(name: str, value: float, calibration: float | None = None) -> None:
    """Print one figure, and its ratio to the calibration where it is a rate."""
    shown = str(value) if isinstance(value, int) else f"{value:.4g}"
    print(f"{name}: {shown}", flush=True)  # noqa: T201
    if calibration is not None:
        print(f"{name}_per_calibration_round: {value / calibration:.4g}", flush=True)  # noqa: T201
