"""“Write it yourself” rules: what they forbid, what source says, what a trace says."""
