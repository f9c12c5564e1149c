"""Text as received → clean value, or null with a reason."""
