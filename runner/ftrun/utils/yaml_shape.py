"""Limits on YAML: the number of values after the expansion of aliases, and levels. Ten lines can expand to billions."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

MOST_NODES = 20_000
DEEPEST = 50
MOST_DIGITS = 100  # Python converts at most 4,300, and no number needs 100
INTEGER, NULL = "tag:yaml.org,2002:int", "tag:yaml.org,2002:null"
TOO_DEEP = f"nested deeper than {DEEPEST} levels"


class ShapeError(Exception):
    """Value that exceeds a limit. `code` and `expected` are those of the problem, `node` is the place of the value."""

    def __init__(self, code: str, what: str, node: yaml.Node, expected: str | None = None) -> None:
        self.code, self.what, self.node, self.expected = code, what, node, expected
        super().__init__(what)


def check_shape(root: yaml.Node) -> None:
    """Check the size of a document before it is constructed.

    Raises:
        ShapeError: If it has too many values or levels, an alias that refers to a value around it, a number of too many
            digits, or a key that is null.
    """
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, depth: int, open_nodes: frozenset[int]) -> int:
        if id(node) in open_nodes:
            raise ShapeError("invalid-yaml", "an alias refers to a value that contains it", node)
        if depth > DEEPEST:
            raise ShapeError("invalid-yaml", TOO_DEEP, node)
        if id(node) not in sizes:
            _check_node(node)
            inner = open_nodes | {id(node)}
            sizes[id(node)] = 1 + sum(size(child, depth + 1, inner) for child in children(node))
        if sizes[id(node)] > MOST_NODES:
            raise ShapeError("too-large", f"more than {MOST_NODES:,} values after expansion of aliases", node)
        return sizes[id(node)]

    size(root, 0, frozenset())


def _check_node(node: yaml.Node) -> None:
    if isinstance(node, yaml.ScalarNode) and node.tag == INTEGER and len(node.value) > MOST_DIGITS:
        what = f"a number of {len(node.value):,} characters"
        raise ShapeError("too-large", what, node, "a number of 64 bits or less")
    nulls = [key for key, _ in node.value if key.tag == NULL] if isinstance(node, yaml.MappingNode) else []
    if nulls:
        raise ShapeError("invalid-yaml", "a key is null", nulls[0], "text as a key")


def children(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield the nodes directly below a node, including keys."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
