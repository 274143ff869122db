"""Environment variables of a process: inherited and declared variables, requested secrets and importable packages."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from ftrun.api.secrets import read_secret
from ftrun.utils import env_launcher

__all__ = ["DEFAULTS", "OFFLINE", "carried_packages", "process_env"]

# A process needs these to work. No other variable is inherited: it could change a result without being in the key, or
# be a secret.
INHERITED = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "NVIDIA_VISIBLE_DEVICES", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "WANDB_BASE_URL",
    "UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_INDEX_URL", "FTRUN_DEBUG",
)  # fmt: skip
DEFAULTS = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",  # libraries open files in the encoding of the locale
    "DO_NOT_TRACK": "1",
    "AXOLOTL_DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_TOKEN_PATH": os.devnull,  # only processes that request the token get it, as HF_TOKEN
    "VLLM_NO_USAGE_STATS": "1",
    "WANDB_MODE": "disabled",
    "TOKENIZERS_PARALLELISM": "false",
    # By default, OpenMP threads spin while they wait. Two parallel trainings then take 1.5 times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
}
# For processes that do not need the hub. Libraries read these at import.
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def process_env(variables: Mapping[str, str], secrets: Sequence[str], modules: Sequence[str]) -> dict[str, str]:
    """Return the environment variables of a process that `env_launcher` starts.

    Args:
        variables: Variables that its environment or its caller declares.
        secrets: Names of the secrets that it requests. Secrets without a value are omitted.
        modules: Modules that it imports. Their top-level packages become importable.
    """
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    values = {variable: value for secret in secrets for variable, value in read_secret(secret).items()}
    packages = {env_launcher.VARIABLE: json.dumps(carried_packages(modules))}
    return {**inherited, **values, **DEFAULTS, **variables, **packages}


def carried_packages(modules: Sequence[str]) -> dict[str, str]:
    """Return the top-level packages of modules with the folders that contain them, as `env_launcher` expects them."""
    folders = {}
    for module in modules:
        top = module.partition(":")[0].partition(".")[0]
        spec = find_spec(top)
        if spec is not None and spec.origin is not None:
            folders[top] = str(Path(spec.origin).parents[1 if spec.submodule_search_locations else 0])
    return folders
