"""The map from codes to descriptors."""
