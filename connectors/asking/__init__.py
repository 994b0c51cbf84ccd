"""What to ask: requests, places and placeholders, ways of paging, changes only."""
