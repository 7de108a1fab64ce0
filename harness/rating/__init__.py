"""Who rates what, blinding, what an answer must have, and what ratings add up to. No I/O, no model."""
