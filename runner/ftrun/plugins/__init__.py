"""Discovery, validation and registration of plugins."""
