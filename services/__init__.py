"""What can be done: one public verb is one transaction."""
