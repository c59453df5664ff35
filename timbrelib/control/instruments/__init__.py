"""A timbre for other instruments: the engine in the browser, wavetable synthesisers, samplers."""
