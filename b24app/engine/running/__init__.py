"""Who works for which portal, and when."""
