"""The demonstration: people of a small company at their screens, played over HTTP."""
