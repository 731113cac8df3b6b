"""The only SQL: tables, engine, migrations, and one file of queries per noun."""
