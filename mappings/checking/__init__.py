"""What is wrong in a file: its YAML, its words, what it says of fetching, of values, of whose things are."""
