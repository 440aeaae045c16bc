"""What happened: notices in the web app, and who else is told."""
