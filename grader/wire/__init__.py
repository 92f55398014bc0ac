"""What crosses the boundary between judge and box: frames, messages, values."""
