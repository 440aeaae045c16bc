"""Webhooks: addresses that are called when something happens."""
