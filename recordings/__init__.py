"""Sound files of calls, as a library."""
