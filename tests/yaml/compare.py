"""Reads documents again with PyYAML and compares where each scalar stands. Prints how many agree.

Usage: compare.py FILE, each line of which is {name, text, scalars: [[line, column, text]]}, lines and columns from 0. A column that is
null is that of a block, and not compared; scalars that are null say that the file was not read as YAML.
"""

import json
import sys
from itertools import zip_longest

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def scalars(text):
    """Theirs, in the order of the text. One that is not written has no place to compare."""
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.ScalarEvent) and (event.value or event.style):
            yield [event.start_mark.line, event.start_mark.column, event.value]


def agree(theirs, ours):
    """Where a file ends in a block without an end of line, one parser adds it and the other does not."""
    if theirs is None or ours is None:
        return False
    if ours[1] is None:
        return (theirs[0], theirs[2].rstrip("\n")) == (ours[0], ours[2].rstrip("\n"))
    return theirs == ours


def main():
    files = compared = 0
    wrong, theirs_alone, ours_alone = [], [], []
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            ours = json.loads(line)
            try:
                theirs = list(scalars(ours["text"]))
            except yaml.YAMLError as error:
                if ours["scalars"] is not None:
                    ours_alone.append(f"{ours['name']}: {error}")
                continue
            if ours["scalars"] is None:
                theirs_alone.append(ours["name"])
                continue
            files += 1
            compared += len(theirs)
            pairs = zip_longest(theirs, ours["scalars"])
            wrong.extend([f"{ours['name']}: theirs, ours: {pair}" for pair in pairs if not agree(*pair)][:1])
    for what, names in [("differs", wrong), ("is read by PyYAML alone", theirs_alone), ("is read by us alone", ours_alone)]:
        for name in names[:20]:
            print(f"{what}: {name}", file=sys.stderr)
    print(
        f"{compared} scalars of {files} files compared, {len(wrong)} files differ, "
        f"{len(theirs_alone)} are read by PyYAML alone and {len(ours_alone)} by us alone"
    )


main()
