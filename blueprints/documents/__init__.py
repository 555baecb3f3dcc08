"""Paper: what leaves the pages as a file."""
