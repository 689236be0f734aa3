"""Entities that remember: history, periods of validity, metadata. Imports Django and django-simple-history only."""
