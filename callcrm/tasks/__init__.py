"""What somebody owes: tasks and callbacks."""
