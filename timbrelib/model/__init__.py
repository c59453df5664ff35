"""The VQ-VAE, its weights on disk, and the models that ship."""
