"""Marks on their way out: into the files that learning management systems exported."""
