"""The store: engine, the three classes of tables, landing, writing, reading, migrations."""
