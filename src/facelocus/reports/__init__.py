"""What runs and data look like: tables, pictures, event files."""
