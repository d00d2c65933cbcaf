"""What comes in from portals and people, and whom of them to believe."""
