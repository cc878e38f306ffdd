"""System checks of slots."""
