"""The API for programs, under `/api/v1`: the same services and queries as the pages, as JSON."""
