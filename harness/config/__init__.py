"""What a person writes in YAML, read into validated, frozen models."""
