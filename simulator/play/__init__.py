"""What happens in one replication: event loop, fleet, router, counts and watching."""
