"""The pure heart: values in, values out. No HTTP, no database, no clock of its own."""
