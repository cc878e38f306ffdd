"""What the customers of the sample shop did to its components: edits of template source, by component and by kind."""
