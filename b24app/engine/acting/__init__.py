"""Carrying out what was decided, once."""
