"""The pages, each thin: request → service or query → template."""
