"""What the numbers of the design are measured with: `make bench` prints bar, aim and what was measured."""
