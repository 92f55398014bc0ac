"""Hidden pytest suites: the plugin, the student proxy, points."""
