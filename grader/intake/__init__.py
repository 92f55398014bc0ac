"""What students handed in, turned into clean submissions. Every byte here is hostile."""
