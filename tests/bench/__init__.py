"""make bench: how fast every stage is, and how fast the servers that people use."""
