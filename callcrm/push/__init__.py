"""Screen-pops and live changes to the browser."""
