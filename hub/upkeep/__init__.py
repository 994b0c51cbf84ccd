"""What keeps the graph up to date by itself: schedules, notifications, and following what they bring."""
