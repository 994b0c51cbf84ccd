"""What may be wrong with records: shapes that drift, dead letters, too many bad ones; and what a change would do."""
