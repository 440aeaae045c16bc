"""What people do with their own account: password, address, profile, data, deletion."""
