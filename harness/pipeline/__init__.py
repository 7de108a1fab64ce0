"""The only place that joins stages with the store."""
