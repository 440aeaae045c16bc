"""The record of acts and scores, and its public head."""
