"""Code that runs in containers on Modal: the scheduler and the stages."""
