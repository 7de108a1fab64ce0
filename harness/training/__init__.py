"""Methods that turn training records into an adapter."""
