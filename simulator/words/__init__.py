"""What the user says: scenarios, their sections, units, laws, profiles, reading and writing."""
