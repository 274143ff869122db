"""What a plugin implements: sources, formatters, evaluators, stages and backends, as protocols."""

from ftrun.contracts.backends import Backend, CallEstimate, Check, Estimate, Hardware, Health, Remote, Runner
from ftrun.contracts.data import BadRow, Choice, ChoosingFormatter, External, Formatter, HubFiles, Source
from ftrun.contracts.evaluators import Answer, AnswerEvaluator, Evaluator, Pair, PairEvaluator, PairScores
from ftrun.contracts.stages import Settings, Stage

__all__ = [
    "Answer",
    "AnswerEvaluator",
    "Backend",
    "BadRow",
    "CallEstimate",
    "Check",
    "Choice",
    "ChoosingFormatter",
    "Estimate",
    "Evaluator",
    "External",
    "Formatter",
    "Hardware",
    "Health",
    "HubFiles",
    "Pair",
    "PairEvaluator",
    "PairScores",
    "Remote",
    "Runner",
    "Settings",
    "Source",
    "Stage",
]
