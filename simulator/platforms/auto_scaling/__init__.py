"""AWS Auto Scaling: which instances a group starts and ends."""
