"""Finds what a module binds to `unlearning`, and refuses what Lethe could not call with four arguments."""

import ast
import difflib
from collections.abc import Iterator

from services.core.submission.source import Rejected, top_level

__all__ = [
    "FUNCTION",
    "SIGNATURE",
    "Binding",
    "NoUnlearning",
    "WrongArity",
    "bindings",
    "found_instead",
    "require_callable",
]

FUNCTION = "unlearning"
SIGNATURE = "unlearning(net, retain_loader, forget_loader, val_loader)"
DEFINE = f"Add `def {SIGNATURE}:`."
PARAMETERS = 4
MAX_NAMED = 5
MAX_ALIASES = 10  # that are followed from name to name
SIMILAR = 0.7

Function = ast.FunctionDef | ast.AsyncFunctionDef
Binding = ast.stmt | ast.expr  # a function, class, import or other statement; of an assignment its value
# Decorators after which a function still takes the arguments that it names; of any other nobody knows.
KEEPS_ARGUMENTS = frozenset(
    {"no_grad", "enable_grad", "inference_mode", "set_grad_enabled", "autocast", "compile", "cache", "lru_cache"}
)
NOT_CALLABLE = {
    ast.Constant: "a constant",
    ast.JoinedStr: "a text",
    ast.List: "a list",
    ast.ListComp: "a list",
    ast.Tuple: "a tuple",
    ast.Dict: "a dictionary",
    ast.DictComp: "a dictionary",
    ast.Set: "a set",
    ast.SetComp: "a set",
    ast.GeneratorExp: "a generator",
    ast.Compare: "a truth value",
    ast.Import: "a module",
}


class NoUnlearning(Rejected):
    code = "no_unlearning"


class WrongArity(Rejected):
    code = "wrong_arity"


def bindings(module: ast.Module) -> dict[str, Binding]:
    """Return what each name is bound to when the module has been imported; `*` stands for an import of all names."""
    bound: dict[str, Binding] = {}
    for statement in top_level(module):
        for name, value in _bound_by(statement):
            bound[name] = value
        if isinstance(statement, ast.Delete):
            for target in statement.targets:
                bound.pop(getattr(target, "id", ""), None)
    return bound


def require_callable(module: ast.Module, filename: str, name: str = FUNCTION) -> Binding:
    """Return what a module binds to `unlearning`, or to the name that becomes it elsewhere.

    Raises NoUnlearning or WrongArity, which name what is there.

    An import or an assignment may turn out to be anything: it passes unless it cannot be called.
    """
    bound = bindings(module)
    found = bound.get(name) or bound.get("*") or bound.get("__getattr__")
    if found is None:
        raise NoUnlearning(f"{filename} does not define a top-level function `{name}`.{found_instead(module)}", DEFINE)
    if found is bound.get("__getattr__"):
        return found
    for _ in range(MAX_ALIASES):
        if not isinstance(found, ast.Name) or found.id not in bound:
            break
        found = bound[found.id]
    where = f"{filename}, line {found.lineno}:"
    if isinstance(found, ast.Name) and found.id not in bound and "*" not in bound:
        raise NoUnlearning(f"{where} `{name}` is `{found.id}`, which the module does not define.", DEFINE)
    if what := NOT_CALLABLE.get(type(found)):
        raise NoUnlearning(f"{where} `{name}` is {what}, not a function.", DEFINE)
    if isinstance(found, ast.ClassDef) and not _may_return_model(found):
        raise NoUnlearning(f"{where} `{name}` is a class; a call of it returns no model.", DEFINE)
    if isinstance(found, Function | ast.Lambda) and _keeps_arguments(found):
        _check_call(found, f"{where} `{name}`")
    return found


def found_instead(module: ast.Module) -> str:
    """Say where a module has `unlearning` under another name or in another place; an empty text if it has neither."""
    functions = {name: found for name, found in bindings(module).items() if isinstance(found, Function | ast.ClassDef)}
    alike = {name.replace("_", "").casefold(): name for name in functions}
    if close := difflib.get_close_matches(FUNCTION, alike, n=1, cutoff=SIMILAR):
        name = alike[close[0]]
        return f" Rename `{name}` in line {functions[name].lineno} if that is the one."
    for outer, inner in _inner_functions(module):
        if isinstance(outer, ast.If):
            return f" The one in line {inner.lineno} is in a block that never runs in a sandbox."
        kind = "a method of the class" if isinstance(outer, ast.ClassDef) else "inside the function"
        return f" The one in line {inner.lineno} is {kind} `{outer.name}`."
    if functions:
        return f" It has {', '.join(f'`{name}`' for name in list(functions)[:MAX_NAMED])}."
    return ""


def _inner_functions(module: ast.Module) -> Iterator[tuple[Function | ast.ClassDef | ast.If, Function]]:
    """Yield functions called `unlearning` in classes and functions of the top level, and in blocks that never run."""
    for outer in top_level(module):
        if isinstance(outer, Function | ast.ClassDef | ast.If):
            for inner in outer.body:
                if isinstance(inner, Function) and inner.name == FUNCTION:
                    yield outer, inner


def _bound_by(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name, statement
        case ast.ImportFrom():
            for alias in statement.names:
                yield alias.asname or alias.name, statement
        case ast.Import():
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0], statement
        case ast.Assign():
            for target in statement.targets:
                yield from _assigned(target, statement.value)
        case ast.AnnAssign(value=ast.expr()):
            assert statement.value is not None
            yield from _assigned(statement.target, statement.value)
        case ast.For():
            yield from _assigned(statement.target, statement)
        case ast.With():
            for item in statement.items:
                if item.optional_vars is not None:
                    yield from _assigned(item.optional_vars, statement)


def _assigned(target: ast.expr, value: Binding) -> Iterator[tuple[str, Binding]]:
    """Yield the names in a target. Of several at once, nobody knows which is what: each gets the target."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        for name in ast.walk(target):
            if isinstance(name, ast.Name):
                yield name.id, ast.Starred(target, lineno=target.lineno)


def _may_return_model(found: ast.ClassDef) -> bool:
    """Tell whether a call of a class may return a model: it makes its objects itself, or inherits."""
    own = {inner.name for inner in found.body if isinstance(inner, Function)}
    return bool(found.bases or found.keywords or found.decorator_list) or "__new__" in own


def _keeps_arguments(function: Function | ast.Lambda) -> bool:
    """Tell whether a function is called as it is written: no decorator makes something else of it."""
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    plain = [one.func if isinstance(one, ast.Call) else one for one in decorators]
    names = [one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in plain]
    return KEEPS_ARGUMENTS.issuperset(names)


def _yields(function: Function | ast.Lambda) -> bool:
    """Tell whether a call of a function only makes a generator. Functions in it have their own `yield`."""
    waiting: list[ast.AST] = [function.body] if isinstance(function, ast.Lambda) else [*function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return False


def _check_call(function: Function | ast.Lambda, what: str) -> None:
    if isinstance(function, ast.AsyncFunctionDef):
        raise WrongArity(f"{what} is async.", f"Write `def {SIGNATURE}:`.")
    if _yields(function):
        raise WrongArity(f"{what} is a generator: a call of it runs nothing.", "Return the model instead of `yield`.")
    arguments = function.args
    most = len(arguments.posonlyargs) + len(arguments.args)
    least = most - len(arguments.defaults)
    keywords_needed = [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    if keywords_needed and most >= PARAMETERS:
        raise WrongArity(
            f"{what} requires the keyword arguments {', '.join(keywords_needed)}.",
            f"Give them defaults; Lethe calls {SIGNATURE}.",
        )
    if keywords_needed or least > PARAMETERS or (most < PARAMETERS and arguments.vararg is None):
        raise WrongArity(
            f"{what} takes {most} positional arguments; Lethe calls it with {PARAMETERS}.",
            f"Write `def {SIGNATURE}:`.",
        )
