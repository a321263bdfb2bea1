"""Where seeds come from: files of one's own, and public data sets."""
