"""Code that runs on the client: images, apps, the Volume, runs."""
