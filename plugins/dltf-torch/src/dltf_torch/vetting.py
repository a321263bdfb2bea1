"""Strings of an exported program that PyTorch would evaluate: each is checked before PyTorch sees it.

A graph is JSON, but to load it PyTorch resolves the targets of nodes by attribute look-up from `torch`, evaluates
expressions of sizes with sympy (which calls `eval`), and writes the names of nodes into Python source that it executes.
So a target has to be an operator of a list, an expression made of a few functions, and a name a name.
"""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache

from dltf_torch.devices import runtime
from dltf_torch.network import quiet

_NAMESPACES = ("aten", "prims", "quantized", "quantized_decomposed", "torchvision")
_OPENS_FILES = ("aten.from_file",)
_HIGHER_ORDER = ("cond", "wrap_with_autocast", "wrap_with_set_grad_enabled")
_OPERATOR = re.compile(
    r"_operator\.(?:add|and_|eq|floordiv|ge|getitem|gt|le|lt|mod|mul|ne|neg|not_|or_|pos|pow|sub|truediv)"
)
_SYMBOLIC = re.compile(r"torch\.sym_(?:float|int|ite|max|min|not|sqrt|sum)|torch\._sym_sqrt|math\.[a-z]\w*")
_SIZE_FUNCTION = re.compile(
    "Abs|Add|And|CeilDiv|CeilToInt|CleanDiv|Eq|Equality|Float|FloatPow|FloatTrueDiv|FloorDiv|FloorToInt|Ge|GreaterThan|"
    "Gt|Identity|IntTrueDiv|Integer|LShift|Le|LessThan|Lt|Max|Min|Mod|ModularIndexing|Mul|Ne|Not|Or|Pow|PowByNatural|"
    "PythonMod|RShift|Rational|RoundDecimal|RoundToInt|StrictGreaterThan|StrictLessThan|Symbol|ToFloat|TruncToFloat|"
    "TruncToInt|Unequality|Where|ceiling|floor"
)
_SIZE_NODES = (
    *(ast.Expression, ast.Call, ast.keyword, ast.Name, ast.Load, ast.Constant, ast.UnaryOp, ast.USub, ast.BinOp),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
)
_SIZE_CONSTANT = re.compile("int_oo|oo|true|false")
_SYMBOL = re.compile(r"[a-z]{1,4}\d{1,9}")
_ATTRIBUTE = re.compile(r"[\w.\-/: ]+")


class UnsafeProgramError(Exception):
    """A string that is none of those that an exported program needs; says which."""


def check_target(target: object) -> str:
    """Return the name of an operator that only computes."""
    text = str(target)
    if _OPERATOR.fullmatch(text) or _SYMBOLIC.fullmatch(text):
        return text
    namespace, _, name = text.removeprefix("torch.ops.").partition(".")
    if text.startswith("torch.ops.") and re.fullmatch(r"\w+(?:\.\w+)?", name):
        if namespace == "higher_order" and name in _HIGHER_ORDER:
            return text
        registered = f"{namespace}::{name.removesuffix('.default')}" in _registered()
        if namespace in _NAMESPACES and registered and not f"{namespace}.{name}".startswith(_OPENS_FILES):
            return text
    raise UnsafeProgramError(f'its graph calls "{text[:80]}", which is no operator that may run here')


@cache
def _registered() -> frozenset[str]:
    """Return the dispatcher's operators; what else can be looked up below `torch.ops` (aten::save, …) is none."""
    with quiet():
        importlib.import_module("torch.ao.quantization.fx._decomposed")  # brings those of 8-bit programs
    return frozenset(runtime()._C._dispatch_get_all_op_names())


def check_expression(text: object) -> str:
    """Return an expression of sizes, made of symbols, numbers and a few functions of sympy."""
    try:
        tree = ast.parse(str(text), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnsafeProgramError(f'it has the size "{str(text)[:80]}", which is no expression') from error
    for node in ast.walk(tree):
        if not isinstance(node, _SIZE_NODES) or not _harmless(node):
            raise UnsafeProgramError(f'it has the size "{str(text)[:80]}", which is no plain expression')
    return str(text)


def _harmless(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and _SIZE_FUNCTION.fullmatch(node.func.id) is not None
    if isinstance(node, ast.Name):
        return any(known.fullmatch(node.id) for known in (_SIZE_FUNCTION, _SIZE_CONSTANT, _SYMBOL))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _SYMBOL.fullmatch(node.value) is not None
    return not isinstance(node, ast.Constant) or isinstance(node.value, (bool, int, float))


def check_name(name: object) -> str | None:
    """Return the name of a tensor or node: it becomes a variable of Python source."""
    if name is None or name == "" or (isinstance(name, str) and name.isidentifier()):
        return name if name is None else str(name)
    raise UnsafeProgramError(f'it has the name "{str(name)[:80]}", which is no identifier')


def check_attribute(name: object) -> str:
    """Return the dotted name of a weight: it is quoted in Python source."""
    if isinstance(name, str) and _ATTRIBUTE.fullmatch(name):
        return name
    raise UnsafeProgramError(f'it has the weight "{str(name)[:80]}", a name that PyTorch does not give')
