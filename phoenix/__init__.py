"""Phoenix's composition root: settings, URLs and the commands that run the whole site."""
