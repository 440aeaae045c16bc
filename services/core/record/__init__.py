"""The record of acts: who did what, and when."""
