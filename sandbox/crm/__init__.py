"""The CRM of a pretend portal: items, stages, user fields, filters."""
