"""The engine: one process for each course that claims tries and alone writes their verdicts."""
