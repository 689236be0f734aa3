"""One file for each page that people open, by its name."""
