"""The command ``recon``, also as ``python -m sim``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what has to be installed for it."""
    try:
        from sim.cli import main as command
    except ModuleNotFoundError as e:
        print(  # noqa: T201
            f"error: {e.name} is not installed; the simulation is an extra of this package: "
            "install it as nautilus-recon[sim]",
            file=sys.stderr,
        )
        sys.exit(2)
    command(prog_name="recon")


if __name__ == "__main__":
    main()
