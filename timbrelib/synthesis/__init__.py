"""From unit-gain spectra and gains to sound."""
