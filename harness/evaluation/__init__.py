"""What an answer is worth: scorers, measurements and regression suites."""
