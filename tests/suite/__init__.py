"""The parts of tests/run, one module per phase."""
