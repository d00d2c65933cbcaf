"""Setting a portal up: what is registered there, its pipelines."""
