"""Statistics of evaluations: pure functions without input or output, and without random numbers."""
