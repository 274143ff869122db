"""Chat templates of LLaMA-Factory by name, and the chat template with which the trainer writes the same text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CHECK = (
    "ftrun uses the chat template of the model; compare with `ftrun preview` that it writes what LLaMA-Factory's "
    "template of this name wrote"
)
LINE_BREAK = "LLaMA-Factory also trains on the line break after the end of a turn, and the trainer does not."
SPACES = "the same text but for white space at the ends of messages"
SAME_TURNS = "turns without a system prompt have the same text"
SYSTEM = "which leaves out the system prompt"
TOOLS = (
    "the rows have tools, so ftrun uses the chat template of the model; compare with `ftrun preview` how it writes "
    "calls and tools"
)
THOUGHTS = "it adds empty thoughts to answers without any, which ftrun does not"
MEDIA = "it is for images, audio or video"


@dataclass(frozen=True)
class Template:
    """Way of the trainer to write the text of a template of LLaMA-Factory.

    Attributes:
        name: Value of `chat_template`, or None for the template of the model.
        end_of_turn: Token with which LLaMA-Factory replaces the end-of-sequence token.
        is_same: True if conversations without tools have the same text.
        reason: Remark for the user, or empty.
        trains_line_break: True if LLaMA-Factory also trains on the line break after the end of a turn.
        thinks: True if the template writes thoughts.
        refused: Reason why there is no way in.
    """

    name: str | None = None
    end_of_turn: str | None = None
    is_same: bool = False
    reason: str = CHECK
    trains_line_break: bool = False
    thinks: bool = False
    refused: str = ""


CHATML = "<|im_end|>"
TEMPLATES: Mapping[str, Template] = {
    **dict.fromkeys(("chatml", "qwen3_nothink", "qwen3_5_nothink"), Template("chatml", CHATML, True, "", True)),
    **dict.fromkeys(("yi", "smollm"), Template("chatml", None, True, "", True)),
    "qwen": Template("qwen_25", CHATML, True, "", True),
    "llama3": Template("llama3", "<|eot_id|>", True, SPACES),
    "llama4": Template("llama4", "<|eot|>", True, SPACES),
    **dict.fromkeys(("gemma", "gemma3"), Template("gemma3", "<end_of_turn>", True, "", True)),
    "phi": Template("phi_35", "<|end|>", True, "", True),
    "mistral": Template("mistral_v2v3", None, False, f"{SAME_TURNS} as `mistral_v2v3`, {SYSTEM}"),
    "qwen3": Template(None, CHATML, False, f"{CHECK}: {THOUGHTS}", thinks=True),
    **dict.fromkeys(
        (
            "deepseekr1", "glm4_5", "gpt_oss", "hunyuan", "mimo", "ernie", "qwen3_5", "seed_oss", "minimax2",
            "intern_s1", "bailing_v2",
        ),
        Template(thinks=True),
    ),
    **dict.fromkeys(
        (
            "qwen2_vl", "qwen2_omni", "qwen3_vl", "qwen3_vl_nothink", "qwen3_omni", "qwen3_omni_nothink", "llava",
            "llava_next", "llava_next_llama3", "llava_next_mistral", "llava_next_qwen", "llava_next_yi",
            "llava_next_video", "llava_next_video_mistral", "llava_next_video_yi", "paligemma", "paligemma_chat",
            "pixtral", "mllama", "minicpm_v", "minicpm_o", "intern_vl", "kimi_vl", "glm4v", "glm4_1v", "glm4_5v",
            "yi_vl", "video_llava", "qwen2_audio", "keye_vl", "gemma3n", "mimo_vl", "mimo_vl_nothink", "dots_ocr",
        ),
        Template(refused=MEDIA),
    ),
}  # fmt: skip
