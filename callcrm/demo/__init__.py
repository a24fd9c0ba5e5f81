"""A call centre to look at: invented people, a simulated PBX, and calls that can be heard."""
