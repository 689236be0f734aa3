"""Who calls what, how often, and how often he may. Knows Django and `storage.tokens`, nothing of meters."""
