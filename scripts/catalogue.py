"""./scripts/translations: keeps the Chinese catalogue in step with the English words of pages and messages.

    update          collect the words from code and templates and merge them into the catalogue
    missing         print what has no translation yet as JSON {"English": ""}; exit code 1 if there is any
    fill FILE.json  write translations from such a file (updates first); unknown words are named and refused
    tidy            forget translations that nothing uses any more
    compile         make the binary form that the pages read

A word under a context is keyed "context\\u0004English", a plural by its singular. Several people may use this
at once: each command holds a lock and replaces the catalogue whole.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "blueprints"
CATALOGUE = SOURCES / "web" / "translations" / "zh" / "LC_MESSAGES" / "messages.po"

METHODS = [("**/templates/**", "jinja2"), ("**.py", "python")]
OPTIONS = {"**/templates/**": {"encoding": "utf-8", "trimmed": "true", "silent": "false"}}
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
    "_l": None,
}
#: Folders below the sources that hold no words of ours.
FOREIGN = {"node_modules", "static", "translations", "__pycache__"}
HEADER = "# Chinese catalogue of Cuohe.\n# Licensed like the project: Apache-2.0."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 where something is missing, unknown or does not fit."""
    parser = argparse.ArgumentParser(prog="./scripts/translations", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("update", "missing", "tidy", "compile"):
        commands.add_parser(name)
    commands.add_parser("fill").add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    with locked(CATALOGUE):
        if given.command == "compile":
            return compile_catalogue(CATALOGUE)
        catalogue = merge(load(CATALOGUE), collect(SOURCES))
        code = 0
        if given.command == "missing":
            return report_missing(catalogue)
        if given.command == "tidy":
            catalogue.obsolete.clear()
        if given.command == "fill":
            code = fill(catalogue, json.loads(given.file.read_text(encoding="utf-8")))
        save(catalogue, CATALOGUE)
        left = len(untranslated(catalogue))
        print(f"{len(catalogue)} messages, {left} without translation", file=sys.stderr)
        return code


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the catalogue: a second command waits until the first is done."""
    instance = ROOT / "instance"
    instance.mkdir(exist_ok=True)
    with open(instance / f"{path.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def collect(folder: Path) -> Catalog:
    """Return a catalogue of every word marked for translation below a folder; an unreadable file raises."""
    found = Catalog(fuzzy=False)
    extracted = extract_from_dir(
        folder,
        method_map=METHODS,
        options_map=OPTIONS,
        keywords=KEYWORDS,
        comment_tags=("Translators:",),
        strip_comment_tags=True,
        directory_filter=lambda name: Path(name).name not in FOREIGN,
    )
    for file, line, message, comments, context in extracted:
        place = (folder / file).relative_to(ROOT) if folder.is_relative_to(ROOT) else Path(file)
        found.add(message, None, [(str(place), line)], auto_comments=comments, context=context)
    return found


def load(path: Path) -> Catalog:
    """Return the stored catalogue, or an empty Chinese one; what had become unused is offered again."""
    if not path.exists():
        who = dict.fromkeys(("project", "last_translator", "language_team", "msgid_bugs_address"), "Cuohe")
        return Catalog(
            locale="zh",
            header_comment=HEADER,
            version="1",
            revision_date=datetime.now(UTC),
            fuzzy=False,
            **who,
        )
    with path.open("rb") as file:
        catalogue = read_po(file, locale="zh", abort_invalid=True)
    # A word that went away and came back keeps its translation.
    for message in list(catalogue.obsolete.values()):
        if message.string and catalogue.get(message.id, message.context) is None:
            catalogue.add(message.id, message.string, context=message.context)
    catalogue.obsolete.clear()
    return catalogue


def merge(catalogue: Catalog, found: Catalog) -> Catalog:
    """Bring a catalogue in step with what was found; translations are kept, never guessed."""
    catalogue.update(found, no_fuzzy_matching=True, update_creation_date=False)
    for message in list(catalogue.obsolete.values()):
        if not has_translation(message):
            catalogue.obsolete.pop(catalogue._key_for(message.id, message.context))
    return catalogue


def save(catalogue: Catalog, path: Path) -> None:
    """Write a catalogue in one go, sorted, without line numbers: two people's changes seldom collide."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        write_po(file, catalogue, width=110, sort_output=True, include_lineno=False)
    draft.replace(path)


def untranslated(catalogue: Catalog) -> list[Message]:
    """Return the messages that a Chinese reader would see in English."""
    return [message for message in catalogue if message.id and not has_translation(message)]


def has_translation(message: Message) -> bool:
    """Say whether every form of a message is translated."""
    forms = message.string if isinstance(message.string, list | tuple) else [message.string]
    return bool(forms) and all(forms) and not message.fuzzy


def key(message: Message) -> str:
    """Return the JSON key of a message."""
    word = message.id[0] if isinstance(message.id, list | tuple) else message.id
    return f"{message.context}\x04{word}" if message.context else str(word)


def fill(catalogue: Catalog, translations: Mapping[str, str]) -> int:
    """Write translations into a catalogue; return 1 if one is unknown or loses a placeholder, naming it."""
    known = {key(message): message for message in catalogue if message.id}
    code = 0
    for word, translation in translations.items():
        message = known.get(word)
        if message is None:
            print(f"unknown: {word!r}", file=sys.stderr)
            code = 1
            continue
        before = message.string
        message.string = (translation,) * catalogue.num_plurals if message.pluralizable else translation
        if faults := [str(fault) for fault in message.check(catalogue)] if translation else []:
            print(f"does not fit: {word!r}: {'; '.join(faults)}", file=sys.stderr)
            message.string = before
            code = 1
    return code


def report_missing(catalogue: Catalog) -> int:
    """Print what has no translation; return 1 if there is any."""
    missing = untranslated(catalogue)
    print(json.dumps({key(message): "" for message in missing}, ensure_ascii=False, indent=1))
    print(f"{len(missing)} of {len(catalogue)} messages without translation", file=sys.stderr)
    return 1 if missing else 0


def compile_catalogue(path: Path) -> int:
    """Write the binary form; return 1, naming the message, if a translation lost a placeholder."""
    catalogue = load(path)
    code = 0
    for message, errors in catalogue.check():
        print(f"does not fit: {key(message)!r}: {'; '.join(str(error) for error in errors)}", file=sys.stderr)
        code = 1
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)
    return code


if __name__ == "__main__":
    sys.exit(main())
