"""From a piece of work to a decision that is written down, and doing one again."""
