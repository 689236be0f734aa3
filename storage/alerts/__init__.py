"""Alerts: rules of the owner, when they hold, and the messages that say so."""
