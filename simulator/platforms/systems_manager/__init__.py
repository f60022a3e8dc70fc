"""AWS Systems Manager: commands on many nodes under rate control, and maintenance windows."""
