"""The launcher: the only name that ticbridge adds to an installation."""
