"""How dates and instants are written where a page does not say so itself: alike everywhere, with their zone."""
