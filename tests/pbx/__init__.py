"""A real Asterisk for tests and for the demo: fetched, started, and called by phones of our own.

Nothing here needs root, and nothing leaves 127.0.0.0/8. `python -m tests.pbx` tells the commands.
"""
