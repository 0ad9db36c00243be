"""The command `facelocus`: one file a verb; each parses, calls and prints."""
