"""The web app: one page so far; no arithmetic here."""
