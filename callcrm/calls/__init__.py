"""The call log: from signals to one row a conversation."""
