"""Errors of loading a model: damaged or foreign weights, unknown architectures, tokenizers, repositories of the hub."""

from __future__ import annotations

from ftrun.api.known_errors import FailedCall, KnownError

FETCH_AGAIN = (
    "compare the size of the files with the hub; `ftrun rm fetch/KEY` removes a damaged copy from the store, and the "
    "next run fetches it again"
)
TRUST = "if you trust its author, set model.trust_remote_code=true; else use another model"


def _fit_vocabulary(call: FailedCall) -> str:
    added = [key for key in ("tokens", "special_tokens", "added_tokens_overrides") if call.trainer.get(key)]
    if added:
        keys = ", ".join(f"train.{key}" for key in added)
        return f"check {keys}, which add tokens; their rows need lora_modules_to_save: [embed_tokens, lm_head]"
    return "the tokenizer does not belong to these weights: take both from the same folder or revision of the hub"


MODEL_ERRORS = (
    KnownError(
        "damaged-file",
        r"Error while deserializing header: (?P<reason>.+)|SafetensorError",
        "a file of weights is cut, or no safetensors file: {reason}",
        FETCH_AGAIN,
        types=("safetensors._safetensors_rust.SafetensorError", "safetensors.SafetensorError"),
    ),
    KnownError(
        "damaged-file",
        r"PytorchStreamReader failed|invalid header or archive is corrupted|unexpected EOF, expected \d+ more bytes"
        r"|UnpicklingError|You seem to have cloned a repository without having git-lfs installed",
        "a file of weights is cut or corrupt",
        FETCH_AGAIN,
    ),
    KnownError(
        "missing-weights",
        r"Error no file named (?P<names>.+?),? found in directory",
        "the folder of the model has no weights in a known format: {names}",
        "save the model with `save_pretrained`, or name another folder in model.weights.path",
        fault="user",
    ),
    KnownError(
        "weights-mismatch",
        r"size mismatch for (?P<name>[\w.]+): copying a param with shape \D*\[(?P<theirs>[\d, ]*)\]\)? from "
        r"checkpoint, the shape in current model is \D*\[(?P<ours>[\d, ]*)\]",
        "the weights do not fit the model: `{name}` has the shape [{theirs}], and the model needs [{ours}]",
        "use the `config.json` that belongs to the weights; an adapter fits only the base model that it was trained on",
    ),
    KnownError(
        "weights-mismatch",
        r"You set `ignore_mismatched_sizes` to `False`",
        "the weights do not fit the model: their shapes differ from those in its `config.json`",
        "use the `config.json` that belongs to the weights; the log lists the names and shapes",
    ),
    KnownError(
        "untrusted-code",
        r"requires you to execute|contains custom code which must be executed|Please pass the argument "
        r"`?trust_remote_code",
        "the repository of the model has Python code, which ftrun does not run unless the recipe allows it",
        TRUST,
        at="model.trust_remote_code",
        fault="user",
    ),
    KnownError(
        "unsupported-model",
        r"model type `(?P<type>[^`]+)` but Transformers does not recognize this architecture",
        "the locked transformers does not know the architecture `{type}`",
        "use another model, or a lock with a newer transformers: environment.trainer.lock=FILE",
        fault="user",
    ),
    KnownError(
        "unsupported-model",
        r"Model architectures (?P<type>\[.*?\]) (?:are not supported|failed to be inspected)"
        r"|Cannot find model module|Unrecognized configuration class",
        "the locked libraries do not support this architecture {type}",
        "use another model, set generate.engine=transformers, or use a lock with newer packages: environment.NAME.lock",
        fault="user",
    ),
    KnownError(
        "unsupported-model",
        r"Unrecognized model in|Should have a `model_type` key in its config.json",
        "the `config.json` of the model names no architecture",
        "name a folder with a complete model in model.weights.path; a folder with only an adapter is not a model",
        fault="user",
    ),
    KnownError(
        "no-access",
        r"(?:is a gated repo|access a gated repo|GatedRepoError|Access to model .* is restricted)",
        "the repository is gated, and the account may not read it",
        "accept its licence on the hub, then set HF_TOKEN or run `hf auth login`",
        at="model.base_model",
    ),
    KnownError(
        "no-access",
        "",
        "the repository is gated, and the account may not read it",
        "accept its licence on the hub, then set HF_TOKEN or run `hf auth login`",
        types=("huggingface_hub.errors.GatedRepoError",),
        at="model.base_model",
    ),
    KnownError(
        "unknown-name",
        r"(?P<name>\S+) is not a local folder and is not a valid model identifier|Repository Not Found for url",
        "the hub has no such repository, or the account may not see it: {name}",
        "check model.base_model and model.revision; a private repository needs a token: `hf auth login`",
        at="model.base_model",
    ),
    KnownError(
        "missing-tokenizer",
        r"Couldn't instantiate the backend tokenizer|Can't load tokenizer for|Tokenizer class \w+ does not exist",
        "the model has no tokenizer that the locked transformers can load",
        "add `tokenizer.json` and `tokenizer_config.json` of the base model to its folder",
        fault="user",
    ),
    KnownError(
        "vocabulary-mismatch",
        r"index out of range in self|Assertion `srcIndex < srcSelectDimSize` failed|indexSelect\w*Index.*Assertion"
        r"|vectorized_gather_kernel.*index out of bounds|Token id \d+ is out of vocabulary",
        "a token id is larger than the vocabulary of the model",
        _fit_vocabulary,
        in_logs=True,
    ),
    KnownError(
        "vocabulary-mismatch",
        r"CUDA error: device-side assert triggered",
        "an index is out of range on the GPU; most often a token id is larger than the vocabulary of the model",
        _fit_vocabulary,
    ),
)
