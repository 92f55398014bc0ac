"""Providers of OpenID Connect for tests: a real one from npm, and one that lies as it is told."""
