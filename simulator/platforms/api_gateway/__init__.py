"""Amazon API Gateway: stage canaries, caches, throttles and usage plans."""
