"""What the machine bears: `python -m bench` prints it."""
