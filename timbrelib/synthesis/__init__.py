"""From magnitude spectra and gains to sound."""
