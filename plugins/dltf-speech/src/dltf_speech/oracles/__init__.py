"""What counts as a deviation between sentences."""
