"""From marks to totals: exact arithmetic that says why each line is what it is."""
