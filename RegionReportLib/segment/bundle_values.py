"""Values out of the configuration of a MONAI bundle, which can hold Python: nothing of it is ever run.

References (`@name#part`) are followed; expressions (`$…`) are worked out where they are literals, references, choices
and arithmetic, and refused otherwise. Knows nothing of networks.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ..errors import InputRefused

_REFERENCE = re.compile(r"@([A-Za-z_]\w*(?:(?:#|::)\w+)*)")
_SEPARATOR = re.compile(r"#|::")
_DEEPEST = 20
_LONGEST = 500
_STANDS_FOR = "reference_{}_"


class Values:
    """The values of a `table` as read from JSON; `source` is what it is called in messages."""

    def __init__(self, table: Mapping[str, Any], source: str) -> None:
        self._table = table
        self._source = source

    def __contains__(self, key: str) -> bool:
        return self._look(key) is not None

    def raw(self, key: str) -> Any:
        """Return what stands at `key`, unread but for references that stand alone; InputRefused if nothing does."""
        for _ in range(_DEEPEST):
            found = self._look(key)
            if found is None:
                self.refuse(key, "is not there")
            alone = _REFERENCE.fullmatch(found.removeprefix("$").strip()) if isinstance(found, str) else None
            if alone is None:
                return found
            key = alone[1]
        self.refuse(key, "refers to itself")

    def value(self, key: str) -> Any:
        """Return the plain value at `key`: numbers, texts, lists and tables of them; InputRefused names what is not."""
        return self.read(self.raw(key), key)

    def read(self, raw: Any, key: str, depth: int = 0) -> Any:
        """Return the plain value of something that `raw` gave."""
        if depth > _DEEPEST:
            self.refuse(key, "refers to itself")
        if isinstance(raw, Mapping):
            return {name: self.read(one, f"{key}#{name}", depth + 1) for name, one in raw.items()}
        if isinstance(raw, list):
            return [self.read(one, f"{key}#{n}", depth + 1) for n, one in enumerate(raw)]
        if not isinstance(raw, str) or raw[:1] not in ("$", "@", "%"):
            return raw
        if raw[0] == "%":
            self.refuse(key, "takes a part of another file, which is not supported")
        return self._worked_out(raw.removeprefix("$"), key, depth)

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise InputRefused about what stands at `key`."""
        raise InputRefused(f"{self._source}: {key} {why}")

    def _look(self, key: str) -> Any:
        found: Any = self._table
        for name in _SEPARATOR.split(key):
            if isinstance(found, Mapping):
                found = found.get(name)
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                return None
        return found

    def _worked_out(self, text: str, key: str, depth: int) -> Any:
        names: dict[str, str] = {}

        def standing_for(match: re.Match[str]) -> str:
            name = _STANDS_FOR.format(len(names))
            names[name] = match[1]
            return name

        def follow(name: str) -> Any:
            if name not in names:
                raise ValueError(name)
            return self.read(self.raw(names[name]), names[name], depth + 1)

        try:
            return literal(_REFERENCE.sub(standing_for, text), follow)
        except (ValueError, TypeError, LookupError, ArithmeticError, SyntaxError, RecursionError, MemoryError):
            self.refuse(key, f"is the Python expression {text.strip()!r:.80}, which is not run here")


def literal(text: str, follow: Callable[[str], Any]) -> Any:
    """Work out an expression of literals, names that `follow` knows, choices, comparisons and arithmetic.

    Raises ValueError, TypeError, LookupError, ArithmeticError or SyntaxError for anything else; nothing is called.
    """
    if len(text) > _LONGEST:
        raise ValueError("the expression is too long")
    return _Literal(follow).visit(ast.parse(text.strip(), mode="eval").body)


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class _Literal(ast.NodeVisitor):
    """Works out one expression; a kind of node without a method here is refused."""

    def __init__(self, follow: Callable[[str], Any]) -> None:
        self._follow = follow

    def generic_visit(self, node: ast.AST) -> Any:
        raise ValueError(type(node).__name__)

    def visit_Constant(self, node: ast.Constant) -> Any:
        return node.value

    def visit_Name(self, node: ast.Name) -> Any:
        return self._follow(node.id)

    def visit_List(self, node: ast.List) -> Any:
        return [self.visit(one) for one in node.elts]

    def visit_Tuple(self, node: ast.Tuple) -> Any:
        return [self.visit(one) for one in node.elts]

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        return self.visit(node.body if self.visit(node.test) else node.orelse)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        return self.visit(node.value)[self.visit(node.slice)]

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            return not value
        if isinstance(node.op, ast.USub):
            return -value
        raise ValueError(type(node.op).__name__)

    def visit_Compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1:
            raise ValueError("a chain of comparisons")
        return _COMPARISONS[type(node.ops[0])](self.visit(node.left), self.visit(node.comparators[0]))

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        left, right = self.visit(node.left), self.visit(node.right)
        # A text or list times a number could be of any size.
        joins = isinstance(node.op, ast.Add) and isinstance(left, str | list) and type(left) is type(right)
        if not joins and not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise TypeError("arithmetic on what is no number")
        return _ARITHMETIC[type(node.op)](left, right)
