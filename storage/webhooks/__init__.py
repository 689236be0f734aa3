"""Webhooks: other programs are told what changed. Knows Django, httpx and `storage.entities`, nothing of meters."""
