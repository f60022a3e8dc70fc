"""AWS Config: rules that find what was changed by hand, and how long it lasts."""
