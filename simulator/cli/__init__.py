"""The command line: parse, call one function, print."""

from __future__ import annotations


def main() -> None:
    """Run the command line; every expected failure ends in one clear message and its exit code."""
    from simulator.cli.app import run

    run()
