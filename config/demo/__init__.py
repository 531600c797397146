"""The platform, seen working: everything started, a few scenes played, the story of each told."""
