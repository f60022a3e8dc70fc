"""What happens in one replication: event loop, fleet, router, counts and watching."""

from simulator.play import compiled

__path__[:0] = compiled.place()
