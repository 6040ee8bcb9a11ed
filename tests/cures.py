"""The cures that the errors of the program print, read from its source: every one, as a template.

Reads: the .py files of the toolkit. Writes: nothing.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = {"tests", "docs", "notebooks", "build"}


def sources() -> dict:
    """Module name -> syntax tree, of the rooms and the root scripts."""
    paths = [path for path in sorted(ROOT.rglob("*.py")) if path.relative_to(ROOT).parts[0] not in OUTSIDE
             and not path.relative_to(ROOT).parts[0].startswith(".")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
            for path in paths}


def _places(trees) -> dict:
    """Name of each function and class that takes a `cure` -> which argument it is."""
    found = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                fields = [part.target.id for part in node.body if isinstance(part, ast.AnnAssign)]
                made = next((part for part in node.body if getattr(part, "name", "") == "__init__"), None)
                names = [one.arg for one in made.args.args[1:]] if made else fields
            elif isinstance(node, ast.FunctionDef):
                names = [one.arg for one in node.args.args]
            else:
                continue
            if "cure" in names:
                found[node.name] = names.index("cure")
    return found


class _Module:
    """What the names in one module mean."""

    def __init__(self, name, trees):
        self.tree, self.trees = trees.get(name, ast.Module([])), trees
        self.values = {target.id: node.value for node in self.tree.body if isinstance(node, ast.Assign)
                       for target in node.targets if isinstance(target, ast.Name)}
        self.functions = {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}
        self.imported = {one.asname or one.name: (node.module, one.name) for node in ast.walk(self.tree)
                         if isinstance(node, ast.ImportFrom) for one in node.names}

    def value(self, name):
        """The module-level expression a name stands for and its module; None when it is none."""
        if name in self.values:
            return self.values[name], self
        where, original = self.imported.get(name, (None, None))
        return _Module(where, self.trees).value(original) if where in self.trees else None

    def templates(self, node, local) -> list:
        """The texts that an expression can become; what is not known before it runs stands in braces."""
        if isinstance(node, ast.Constant):
            return [str(node.value or "")]
        if isinstance(node, ast.JoinedStr):
            return ["".join(self._part(part, local) for part in node.values)]
        if isinstance(node, ast.BinOp):
            return [left + right for left in self.templates(node.left, local) for right in self.templates(node.right, local)]
        if isinstance(node, ast.IfExp):
            return self.templates(node.body, local) + self.templates(node.orelse, local)
        if isinstance(node, ast.BoolOp):
            return [text for value in node.values for text in self.templates(value, local)]
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and self.value(node.value.id):
            mapping, module = self.value(node.value.id)
            return [text for value in mapping.values for text in module.templates(value, {})]
        if isinstance(node, ast.Name):
            if node.id in local:
                return self.templates(local[node.id], {**local, node.id: ast.Constant("")}) if local[node.id] else []
            return [text for found in [self.value(node.id)] if found for text in found[1].templates(found[0], {})]
        if isinstance(node, ast.Attribute):
            module = _Module(".".join(self.imported.get(ast.unparse(node.value), ("",))), self.trees)
            return [text for found in [module.value(node.attr)] if found for text in found[1].templates(found[0], {})]
        if isinstance(node, ast.Call):
            return self._of_call(node, local)
        return ["{" + ast.unparse(node) + "}"]

    def _of_call(self, node, local):
        name = getattr(node.func, "id", "")
        if name == "command_line":
            return [" ".join(self.templates(word, local)[0] if isinstance(word, (ast.Constant, ast.JoinedStr))
                             else self._part(word, local) for word in node.args)]
        if name.startswith("_") and name in self.functions:
            function = self.functions[name]
            own = _locals(function)
            return [text for part in ast.walk(function) if isinstance(part, ast.Return)
                    for text in self.templates(part.value, own)]
        if getattr(node.func, "attr", "") == "join":
            return self.templates(node.args[0].elt, local)
        return ["{" + ast.unparse(node) + "}"]

    def _part(self, part, local):
        """A word of a text that is put together: itself where it is known, else what it is, in braces."""
        part = getattr(part, "value", part) if isinstance(part, ast.FormattedValue) else part
        if isinstance(part, ast.Constant):
            return str(part.value)
        if isinstance(part, ast.Call) and getattr(part.func, "id", "") == "command_line":
            return self.templates(part, local)[0]
        if isinstance(part, ast.Name) and part.id not in local and (found := self.value(part.id)) \
                and isinstance(found[0], ast.Constant):
            return str(found[0].value)
        return "{" + ast.unparse(part) + "}"


def _locals(function) -> dict:
    """Name -> the expression it is given in a function; None for a parameter."""
    known = {one.arg: None for one in function.args.args + function.args.kwonlyargs}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    known[target.id] = node.value
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    known |= {one.id: value for one, value in zip(target.elts, node.value.elts) if isinstance(one, ast.Name)}
    return known


def cures() -> dict:
    """Template of each cure -> where it is printed: {"make preprocess": {"render.evaluate", ...}}."""
    trees, found = sources(), {}
    places = _places(trees)
    for name in trees:
        module = _Module(name, trees)
        enclosing = {}
        for function in ast.walk(module.tree):
            if isinstance(function, ast.FunctionDef):
                enclosing |= {id(node): function for node in ast.walk(function)}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef):  # a default is printed too
                given = node.args.args[len(node.args.args) - len(node.args.defaults):]
                pairs = [*zip(given, node.args.defaults), *zip(node.args.kwonlyargs, node.args.kw_defaults)]
                asked = [value for one, value in pairs if one.arg == "cure" and value]
            elif isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                asked = [word.value for word in node.keywords if word.arg == "cure"]
                at = places.get(called)
                if called != "check" or getattr(getattr(node.func, "value", None), "id", "") == "artifacts":
                    asked += node.args[at:at + 1] if at is not None and len(node.args) > at and not any(
                        isinstance(one, ast.Starred) for one in node.args) else []
            else:
                continue
            local = _locals(enclosing[id(node)]) if id(node) in enclosing else {}
            for value in asked:
                for text in module.templates(value, local):
                    if text:
                        found.setdefault(text, set()).add(name)
    return found


def tries(*templates):
    """A mark of the test that makes the error of each template, runs the cure as it is printed, and sees it mended."""
    return lambda test: test


def tried(path) -> set:
    """The templates that the tests in the file `path` are marked with."""
    return {argument.value for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tries" for argument in node.args}
