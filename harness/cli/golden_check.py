"""`harness golden check`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Home, Json

if TYPE_CHECKING:
    from harness.data.golden_check import SetFinding


def check(
    golden_set: Annotated[str, typer.Argument(metavar="SET", help="the name of a golden set, or its folder")],
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Look a golden set over before anything is measured with it: every defect by file and line, then hints.

    Looks at fields, duplicates, contradictions, references against the set's own scorers and phrases, damaged
    characters, spellings of tags and groups, the manifest, its hash, the rubric and the card. A hint is a heuristic's
    and may be wrong; a defect is not.

    Exit codes: 0 no defect, 1 a defect or an error, 2 usage.

    Examples:

      harness golden check icd10_coding

      harness golden check golden_sets/mine --json
    """
    from harness.cli.output import console, print_json
    from harness.pipeline.golden_check import check_golden_set
    from harness.pipeline.wear import named_set_wear

    found = check_golden_set(golden_set, home)
    wear = [] if found.defects else named_set_wear(golden_set, home)
    if json:
        print_json({**asdict(found), "wear": wear})
    else:
        out = console()
        retired = f", {found.retired} retired" if found.retired else ""
        named = " ".join(word for word in (found.name or "a golden set", found.version) if word)
        items = "1 item" if found.items == 1 else f"{found.items} items"
        out.print(f"{named}: {items}{retired}", markup=False)
        for finding in found.defects:
            out.print(f"{found.folder}/{_words(finding)}", markup=False, style="red", soft_wrap=True)
        for finding in found.hints:
            out.print(f"hint: {found.folder}/{_words(finding)}", markup=False, soft_wrap=True)
        defects, hints = (
            f"{len(some)} {word}{'' if len(some) == 1 else 's'}"
            for some, word in ((found.defects, "defect"), (found.hints, "hint"))
        )
        verdict, style = ("NOT READY", "bold red") if found.defects else ("READY", "bold green")
        for line in wear:
            out.print(line, markup=False, soft_wrap=True)
        out.print(f"verdict: {verdict} ({defects}, {hints})", style=style, markup=False)
    if found.defects:
        raise typer.Exit(1)


def _words(finding: "SetFinding") -> str:
    return f"{finding.file}{'' if finding.line is None else f':{finding.line}'}: {finding.words}"
