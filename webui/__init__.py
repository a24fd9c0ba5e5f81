"""The web: thin pages and the API."""
