"""What the API answers about a meter: power and energy over time, costs, gaps, and everything as a stream.

Rows of the tables themselves are `storage.resources`.
"""
