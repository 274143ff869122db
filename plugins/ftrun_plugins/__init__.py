"""The formats, trainers, engines, evaluators and clouds that come with ftrun."""
