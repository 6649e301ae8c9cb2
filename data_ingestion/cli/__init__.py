"""How the loader is shown to a person and to a machine: `goldworks`."""
