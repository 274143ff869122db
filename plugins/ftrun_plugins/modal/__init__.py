"""Backend `modal`: stage calls as functions of a deployed Modal app, with one Volume."""
