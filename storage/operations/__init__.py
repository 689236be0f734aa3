"""How this installation does, for whoever looks after it: `/metrics` and `/healthz`."""
