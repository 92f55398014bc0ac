"""A cell read as Python: its magics, its statements, the names that it binds and uses."""
