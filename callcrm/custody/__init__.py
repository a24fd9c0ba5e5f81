"""Recordings in custody: where each sound lies, what was checked of it, who may get at it, and when it goes."""
