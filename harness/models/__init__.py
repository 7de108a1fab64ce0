"""Where base models come from, how they are loaded, given adapters, prompted and probed."""
