"""Consent items of trainer keys: modules that axolotl imports, and hosts and accounts that get data."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.consent import ConsentItem
from ftrun.api.issues import KeyPath
from ftrun.api.recipe import Json, Recipe
from ftrun.api.trainers import TrainerConfig
from ftrun.utils.digests import digest

OWN_PLUGINS = "axolotl.integrations."
CODE = {
    "trainer_cls": "imports the class",
    "torchdistx_path": "imports modules from the folder",
}
# Keys whose value is the host, or the account of another person, that gets data.
SENDS = {
    "comet_api_key": "sends the metrics of the training to the account of the key in",
    "comet_workspace": "sends the metrics of the training to the workspace of Comet",
    "kd_online_server_base_url": "sends the rows to the server of the teacher",
    "mlflow_tracking_uri": "sends the metrics of the training to",
    "otel_metrics_host": "serves the metrics of the training at",
    "swanlab_api_host": "sends the metrics of the training to",
    "swanlab_api_key": "sends the metrics of the training to the account of the key in",
    "swanlab_lark_webhook_url": "sends messages to",
    "swanlab_web_host": "sends the metrics of the training to",
    "swanlab_workspace": "sends the metrics of the training to the workspace of SwanLab",
    "trackio_space_id": "sends the metrics of the training to the space",
    "wandb_entity": "sends the metrics of the training to the account of Weights & Biases",
}


def find_items(recipe: Recipe, config: TrainerConfig) -> Iterator[ConsentItem]:
    """Yield an item for each trainer key that names code, a host or an account."""
    for key, verb in {**CODE, **SENDS}.items():
        if value := config.values.get(key):
            shown = f"`{key}`" if key.endswith("_key") else value
            yield ConsentItem(config.origins.get(key, ("train", key)), f"{verb} {shown}", digest(str(value)))
    sections: dict[KeyPath, Json] = {("train",): recipe.train, ("model", "trainer"): recipe.model.trainer}
    sections |= {("optimizations", name): values for name, values in recipe.optimizations.items()}
    for path, values in sections.items():  # the lists of all sections are united
        foreign = [str(name) for name in values.get("plugins") or () if not str(name).startswith(OWN_PLUGINS)]
        if foreign:
            yield ConsentItem((*path, "plugins"), f"imports {', '.join(foreign)} as plugins of axolotl")
