"""Where training and evaluation rows come from."""
