"""What the course gives beside the notebook."""

WHOSE = "the course's"
