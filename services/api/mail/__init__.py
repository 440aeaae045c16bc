"""What the platform sends: mail, written and sent by a loop of the API."""
