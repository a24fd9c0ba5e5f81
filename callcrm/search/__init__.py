"""Finding anything by a few letters or digits: people, organisations, calls, what was written, tasks."""
