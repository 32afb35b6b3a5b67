"""Whether the maps tell the truth: other ways to explain, and measures of each."""
