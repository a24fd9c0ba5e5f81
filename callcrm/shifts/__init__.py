"""Shifts: who is at work, at which phone, in which state, and for how long."""
