"""Tokens for programs, and a limit for guesses at passwords. Knows Django and its REST framework, nothing of meters."""
