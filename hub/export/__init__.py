"""What BI tools pull: flat views with lasting names, and their streaming export."""
