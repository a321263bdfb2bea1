"""The shelves of this plugin."""
