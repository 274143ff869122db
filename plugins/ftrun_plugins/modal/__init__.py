"""The backend `modal`: stage calls as functions of a deployed Modal app, on one Volume."""
