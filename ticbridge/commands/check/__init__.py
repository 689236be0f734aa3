"""`ticbridge check`: every part in turn, one sentence each, the likely cause and what to do. It changes nothing."""
