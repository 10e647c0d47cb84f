"""Applications that servers are asked with. Most say what they were given."""
