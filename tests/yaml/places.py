"""Tells where everything in Kubernetes objects stands, as PyYAML reads them. Prints a line of JSON for each file: {name, text, targets},
each target {kind, namespace, name, path, line}, lines from 1.

Usage: places.py GENERATED FILE...: so many generated files, and these.
"""

import json
import random
import re
import sys

import yaml

WORDS = ["web", "0.5", "true", "null", "a b", "é中", "x-y_z", "-1", "a: b", "http://h/p", "😀", "~x", "two\nlines\n", "it's", 'a "b"', "#c"]
KEYS = ["image", "limits", "env", "a.b/c", "x y", "0", "cpu", "é"]


def value(chance, depth=0):
    kind = chance.randrange(6 if depth < 4 else 3)
    if kind < 3:
        return chance.choice([*WORDS, 1, True, None])
    if kind == 3:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {key: value(chance, depth + 1) for key in chance.sample(KEYS, chance.randrange(1, 5))}


def generated(seed):
    chance = random.Random(seed)
    documents = []
    for nth in range(chance.randrange(1, 4)):
        metadata = {"name": f"o{nth}", "namespace": "shop"}
        root = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": value(chance), "more": value(chance)}
        style = {
            "default_flow_style": chance.choice([None, False, False, True]),
            "default_style": chance.choice([None, None, '"', "'"]),
            "indent": chance.choice([2, 4]),
            "width": chance.choice([20, 80]),
            "allow_unicode": chance.random() < 0.5,
            "explicit_start": True,
        }
        documents.append(yaml.safe_dump(root, sort_keys=False, **style))
    return "# a comment\n" * chance.randrange(3) + "".join(documents)


def scalar(node, key):
    """The value of a key that stands once, as text."""
    found = [value.value for name, value in node.value if isinstance(name, yaml.ScalarNode) and name.value == key]
    return found[0] if len(found) == 1 and isinstance(found[0], str) else None


def head(node):
    """The line of the first thing in it that is no collection."""
    if isinstance(node, yaml.MappingNode) and node.value:
        return node.value[0][0].start_mark.line
    if isinstance(node, yaml.SequenceNode) and node.value:
        return head(node.value[0])
    return node.start_mark.line


def places(node, path, seen):
    """Every path below it with its line; of keys that stand twice, and of what stands elsewhere, none."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for nth, item in enumerate(node.value):
            if id(item) not in seen:
                yield f"{path}[{nth}]", head(item)
                yield from places(item, f"{path}[{nth}]", seen)
    elif isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode) or keys.count(key.value) > 1 or key.value == "<<":
                continue
            plain = re.fullmatch(r"[A-Za-z0-9_-]+", key.value)
            step = f".{key.value}" if plain else f"[{json.dumps(key.value, ensure_ascii=False)}]"
            below = (path + step).lstrip(".")
            yield below, key.start_mark.line
            yield from places(item, below, seen)


def targets(text):
    found = []
    for root in yaml.compose_all(text, Loader=yaml.SafeLoader):
        if not isinstance(root, yaml.MappingNode):
            continue
        metadata = [value for key, value in root.value if key.value == "metadata" and isinstance(value, yaml.MappingNode)]
        kind, name = scalar(root, "kind"), scalar(metadata[0], "name") if metadata else None
        if kind and name:
            found.append((kind, scalar(metadata[0], "namespace"), name, root))
    for kind, namespace, name, root in found:
        if sum(other[:3] == (kind, namespace, name) for other in found) > 1:
            continue
        for path, line in places(root, "", set()):
            yield {"kind": kind, "namespace": namespace, "name": name, "path": path, "line": line + 1}


def main():
    texts = [(f"generated {seed}", generated(seed)) for seed in range(int(sys.argv[1]))]
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            texts.append((path, file.read()))
    for name, text in texts:
        try:
            print(json.dumps({"name": name, "text": text, "targets": list(targets(text))}))
        except yaml.YAMLError as error:
            print(f"not read: {name}: {error}", file=sys.stderr)


main()
