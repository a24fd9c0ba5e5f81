"""Quality: forms with their versions, evaluations of calls, disputes, calibration, and what to review next."""
