"""Pure statistics: intervals and paired tests. Numbers in, numbers out; no records, no files, no torch."""
