"""The CRM beside the telephone."""
