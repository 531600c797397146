"""Templates as files: a folder that teams keep in git, pulled from the database and pushed into it."""
