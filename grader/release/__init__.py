"""From a reference to what students get: notebook, public tests, data, requirements."""
