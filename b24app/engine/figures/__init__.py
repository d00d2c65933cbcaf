"""The figures of corrections, and their way into spreadsheets."""
