"""The FSDP keys of an axolotl configuration, as axolotl 0.21 itself reads them: FSDP 2 only, without the prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrun_plugins.importing.draft import Recorder

FSDP_KEYS = ("fsdp", "fsdp_config")
PREFIX = "fsdp_"
REMOVED = "FSDP 1 is no longer in axolotl"
# Keys of FSDP 1 that axolotl refuses, with what to do, and those that it drops.
REFUSED = {"sharding_strategy": "set `reshard_after_forward` instead", "forward_prefetch": "leave it out"}
IGNORED = (
    "sync_module_states",
    "backward_prefetch",
    "backward_prefetch_policy",
    "limit_all_gathers",
    "use_orig_params",
)


def read_fsdp(values: Mapping[str, Any], record: Recorder) -> dict[str, Any] | None:
    """Return the value of `fsdp_config`, or None if it has none."""
    if values.get("fsdp"):
        hint = "remove `fsdp`, and set `fsdp_version: 2` and the keys of `fsdp_config` for it"
        record.refuse(("fsdp",), REMOVED, hint)
    elif "fsdp" in values:
        record.exact(("fsdp",))
    config = values.get("fsdp_config")
    if not isinstance(config, dict) or not config:
        if "fsdp_config" in values:
            record.exact(("fsdp_config",))
        return None
    kept: dict[str, Any] = {}
    for key, value in config.items():
        name = str(key)
        if name != "fsdp_version":
            name = name.removeprefix(PREFIX)
        place = ("fsdp_config", str(key))
        if name in REFUSED:
            record.refuse(place, f"`{name}` is a key of FSDP 1, which is no longer in axolotl", REFUSED[name])
        elif name in IGNORED:
            record.leave_out(place, "axolotl drops this key of FSDP 1")
        else:
            kept[name] = value
    if not kept.keys() <= config.keys():
        record.changed(("fsdp_config",), "train.fsdp_config", "keys as axolotl reads them: without the prefix `fsdp_`")
    return kept
