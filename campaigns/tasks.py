"""The doors for Celery: names, one call each. What is behind a door is loaded when it is first opened."""
