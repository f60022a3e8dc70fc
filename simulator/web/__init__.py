"""The web app: forms, links and charts; no arithmetic here."""
