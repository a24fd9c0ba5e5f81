"""Asterisk's manager interface, as a library."""
