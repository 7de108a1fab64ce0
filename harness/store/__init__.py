"""The ledger: the only user of DuckDB. Transactions, migrations, writes, queries."""
