"""How records come in: pulled, landed, and kept as long as is said."""
