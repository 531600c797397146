"""Create, change and erase recipients, and what a valid recipient is: the same for the API and for CSV files."""
