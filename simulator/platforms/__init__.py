"""Real platforms: their rules, exactly, and their own ways to release."""
