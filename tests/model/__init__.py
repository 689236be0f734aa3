"""The hand-over, checked by Spin: `docs/design/handover.pml`."""
