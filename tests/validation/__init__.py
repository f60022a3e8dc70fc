"""The validation page: the engine against closed forms, its intervals against the truth."""
