from __future__ import annotations

from ftrun_plugins.evaluation.generate.vllm_engine import find_limit

ERROR = (
    "User-specified max_model_len (9000) is greater than the derived max_model_len ({name}={limit} or "
    "model_max_length=None in model's config.json)."
)


def test_the_limit_of_a_model_is_read_from_the_error_of_vllm() -> None:
    assert find_limit(ERROR.format(name="max_position_embeddings", limit=8192)) == 8192
    assert find_limit(ERROR.format(name="max_seq_len", limit="16384.0")) == 16384
    assert find_limit("max_model_len (9000) needs more memory for the cache") is None
