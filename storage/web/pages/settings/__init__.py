"""What owners set without touching a file."""
