"""Backend `local`: stage calls as processes on this machine."""
