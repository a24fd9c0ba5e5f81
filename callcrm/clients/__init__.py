"""Persons and organisations, and who a number belongs to."""
