"""The store: readings from the broker to rows, and rows to pages. Django; never opens a serial port."""
