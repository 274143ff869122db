"""Names in the work folder of the stage `fetch`, from which a later attempt continues."""

CONTENT = "content"  # bytes of a file from a URL
MODEL = "model"  # files of the hub; its library knows which are complete
DATASET = "dataset"  # likewise
PACKAGE = "package"  # installed package, marked when it is complete
