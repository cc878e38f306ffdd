"""The acts of the rollout: each one transaction over several models, returning what it did."""
