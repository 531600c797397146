"""Who gets what, when, by which channel, and why. Pure: no database, no clock, no dice."""
