"""The owner's front page, and the shell around all pages of the admin."""
