"""The tests: they mirror the tree, and their names say what the house does."""
