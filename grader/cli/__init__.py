"""The `grader` command: one thin module per verb, loaded lazily."""
