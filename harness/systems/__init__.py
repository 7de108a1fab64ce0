"""One file per way to answer an item."""
