"""From target curves to codes to a sound that follows them."""
