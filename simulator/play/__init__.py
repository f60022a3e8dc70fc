"""What happens in one replication: the event loop, the fleet, the router, the counts and the watching."""
