"""Finding faces by description in a library."""
