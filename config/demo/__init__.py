"""The platform, seen working: everything started, a sample sent through every channel, its story told."""
