"""The comparison as text, page and pictures; no number is computed here."""
