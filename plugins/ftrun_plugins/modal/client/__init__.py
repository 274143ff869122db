"""Code that runs on the client: images, apps, volumes, runs."""
