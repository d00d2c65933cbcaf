"""What people do and see on their pages in the portal."""
