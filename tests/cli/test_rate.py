"""`harness rate` from the command line, from opening to export, on an experiment without a model."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.pipeline.campaigns import find_campaign
from harness.pipeline.rate import visitor
from tests.pipeline.rated import rate_all, token_of
from tests.pipeline.rated_project import run_project, write_project

COMMANDS = ("open", "invite", "revoke", "status", "extend", "close", "export", "import")


@dataclass
class Terminal:
    """Runs the command line in this process, on a home and an experiment of its own."""

    folder: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.patch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = self.capture.readouterr()
        return code, captured.out, captured.err

    def said(self, *arguments: object) -> str:
        """What a command that must work prints."""
        code, out, err = self(*arguments)
        assert (code, err) == (0, ""), err
        return out

    def json(self, *arguments: object):
        return json.loads(self.said(*arguments, "--json"))

    def open(self, *arguments: object):
        project = self.folder / "project"
        return self.json("rate", "open", project, "--runs", "sentinel_plain", "sentinel_tuned", *arguments)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    run_project(write_project(folder / "project"), folder / "home")
    return folder


@pytest.fixture
def harness(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    folder = shutil.copytree(made, tmp_path / "copy")
    monkeypatch.setenv("HARNESS_HOME", str(folder / "home"))
    return Terminal(folder, monkeypatch, capsys)


def test_a_campaign_from_opening_to_export(harness: Terminal, tmp_path: Path) -> None:
    opened = harness.open("--items", 2, "--kind", "both", "--by", "Grace")
    assert (opened["systems"], opened["items"], opened["by"]) == (["sentinel_plain", "sentinel_tuned"], 2, "Grace")
    links = harness.json("rate", "invite", "Ada", "Bob", "--url", "https://rating.example.org/")
    assert [link["rater"] for link in links] == ["Ada", "Bob"]
    for link in links:
        address, _, token = link["url"].rpartition("/r/")
        assert address == "https://rating.example.org"
        assert visitor(harness.home, token).rater == link["rater"]
        rate_all(harness.home, token)
    [status] = harness.json("rate", "status")
    assert (status["status"], status["items_done"], status["judgements"]) == ("open", 2, 14)
    assert {one["rater"]: one["judged"] for one in status["raters"]} == {"Ada": 7, "Bob": 7}
    closed = harness.json("rate", "close", "--by", "Grace")
    assert closed["means"]["sentinel_tuned"]["rating/accuracy"] == 4.0
    assert harness.json("rate", "close", "--campaign", opened["campaign_id"]) == closed
    done = harness.json("rate", "export", "--campaign", "c-", "--out", tmp_path / "r.csv")
    assert done["rows"] == len((tmp_path / "r.csv").read_text().splitlines()) - 1
    sql = "SELECT DISTINCT metric FROM v_scores WHERE metric LIKE 'rating/%' ORDER BY 1"
    assert "rating/accuracy" in harness.said("sql", sql)


def test_status_of_an_open_campaign_names_no_run(harness: Terminal) -> None:
    opened = harness.open("--items", 2)
    rate_all(harness.home, token_of(harness.home, opened["campaign_id"]))
    for arguments in (
        ("rate", "status"),
        ("rate", "status", "--campaign", "c-"),
        ("rate", "status", "--campaign", "c-", "--json"),
    ):
        said = harness.said(*arguments)
        assert "20261121-09000" not in said
        assert "Ada" in said


def test_what_people_read_says_what_comes_next(harness: Terminal) -> None:
    project = harness.folder / "project"
    out = harness.said("rate", "open", project, "--runs", "sentinel_plain", "sentinel_tuned", "--items", 1)
    assert "harness rate invite NAME" in out
    invited = harness.said("rate", "invite", "Ada [bold]", "Bob")
    assert "http://127.0.0.1:8501/r/" in invited
    for link in invited.split("/r/")[1:]:
        rate_all(harness.home, link.split()[0])
    assert "Ada [bold]" in harness.said("rate", "status")
    out = harness.said("rate", "close")
    assert "is closed and unblinded" in out
    assert "harness compare" in out


def test_a_link_that_was_revoked_is_shown_as_such(harness: Terminal) -> None:
    harness.open()
    [link] = harness.json("rate", "invite", "Ada")
    assert harness.json("rate", "revoke", "Ada") == [
        {"link_id": link["link_id"], "rater": "Ada", "campaign_id": link["campaign_id"]}
    ]
    assert "nothing to revoke" in harness.said("rate", "revoke", "Ada")
    [status] = harness.json("rate", "status")
    assert status["raters"][0]["links"][0]["state"] == "revoked"
    assert "1 revoked" in harness.said("rate", "status")


def test_an_owners_link_is_made_and_taken_back(harness: Terminal) -> None:
    [link] = harness.json("rate", "invite", "--owner")
    token = link["url"].rpartition("/r/")[2]
    assert (visitor(harness.home, token).role, link["rater"], link["campaign_id"]) == ("owner", None, None)
    assert "of the owner" in harness.said("rate", "revoke", "--owners")


def test_a_campaign_is_extended_and_ratings_are_imported(harness: Terminal, tmp_path: Path) -> None:
    opened = harness.open("--items", 1, "--raters-per-item", 1)
    extended = harness.json("rate", "extend", "--items", 2, "--reason", "wide interval")
    assert (opened["items"], extended["items"]) == (1, 3)
    items = list(harness.json("rate", "status")[0]["raters_done"])
    file = tmp_path / "ratings.csv"
    file.write_text(
        "rater,item,system,criterion,value\n"
        + "".join(f"Ada,{item},{system},accuracy,4\n" for item in items for system in opened["systems"])
    )
    assert harness.json("rate", "import", file)["new"] == 6
    assert "0 of them new" in harness.said("rate", "import", file)
    assert harness.json("rate", "status")[0]["items_done"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rate", "invite"), "no campaign is open"),
        (("rate", "close"), "harness rate open EXPERIMENT"),
        (("rate", "revoke"), "nothing was revoked: name raters"),
        (("rate", "revoke", "Ada"), "no rater was invited yet"),
        (("rate", "export", "--out", "x.csv"), "no campaign is open"),
        (("rate", "status", "--campaign", "c-9"), 'there is no campaign "c-9"'),
        (("rate", "invite", "Ada", "--owner"), "--owner makes one link"),
    ],
)
def test_an_error_is_one_paragraph_with_the_next_step(
    harness: Terminal, arguments: tuple[object, ...], said: str
) -> None:
    code, out, err = harness(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err


def test_a_home_without_campaigns_says_how_to_open_one(harness: Terminal) -> None:
    assert "harness rate open EXPERIMENT" in harness.said("rate", "status")
    assert harness.json("rate", "status") == []


def test_a_closed_campaign_invites_nobody(harness: Terminal) -> None:
    opened = harness.open("--items", 1, "--raters-per-item", 1)
    rate_all(harness.home, token_of(harness.home, opened["campaign_id"]))
    harness.said("rate", "close")
    assert find_campaign(harness.home, "c-") == opened["campaign_id"]
    code, _, err = harness("rate", "invite", "Bob", "--campaign", "c-")
    assert (code, "nothing is added to it" in err) == (1, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples_and_the_common_options(harness: Terminal, command: str) -> None:
    out = harness.said("rate", command, "--help")
    assert "Example" in out
    assert f"harness rate {command}" in out
    assert "--home" in out
    assert "--json" in out
