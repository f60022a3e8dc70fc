"""The web app's entry: starts simulator.web, nothing else."""

from simulator.web.app import run

run()
