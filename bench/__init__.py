"""Measures the application against the pretend portal: `python -m bench` prints the table of docs/performance.md."""
