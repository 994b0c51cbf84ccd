"""Who may ask, what they see, how much they may ask, and who has read whom."""
