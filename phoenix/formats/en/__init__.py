"""For English, the language of the administration."""
