"""The command line: one file per command group; parse, call one pipeline function, print."""
