"""Pure statistics: intervals, tests, claims, power, agreement, preference. Numbers in, numbers out; no torch."""
