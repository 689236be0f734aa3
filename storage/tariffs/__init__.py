"""Contracts, prices and their dates; what each kWh cost, and what it would have cost elsewhere."""
