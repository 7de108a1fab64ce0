"""Pure decisions: estimates and comparisons out of stored scores. No model, no files, no store."""
