"""What happened on a portal: its stage history, its tasks, its watched items."""
