"""Scorers: pure functions (item, text) -> mark. No file, no network, no model."""
