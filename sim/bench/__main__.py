"""``python -m sim.bench``: all figures, or some."""

from __future__ import annotations

import argparse

from sim.bench.runs import print_runs
from sim.bench.serve import print_serve
from sim.bench.starts import FILLS, REPEATS, print_starts


def main(arguments: list[str] | None = None) -> None:
    """Print what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m sim.bench", description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=("all", "runs", "starts", "serve"), default="all"
    )
    parser.add_argument("--scenarios", type=int, default=500, help="how many minimal scenarios")
    parser.add_argument(
        "--fills",
        type=int,
        nargs="+",
        default=list(FILLS),
        help="sizes of the histories of starts; 200000 takes a few minutes",
    )
    parser.add_argument("--repeats", type=int, default=REPEATS, help="the least counts")
    chosen = parser.parse_args(arguments)
    if chosen.what in ("all", "runs"):
        print_runs(chosen.scenarios)
    if chosen.what in ("all", "starts"):
        print_starts(chosen.fills, repeats=chosen.repeats)
    if chosen.what in ("all", "serve"):
        print_serve()


if __name__ == "__main__":
    main()
