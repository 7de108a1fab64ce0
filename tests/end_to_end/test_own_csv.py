"""A CSV file of twenty questions, from `init` to `compare` with the real model, and no file edited by hand."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from harness.assets import shipped
from harness.cli.main import main

QUESTIONS = Path(__file__).with_name("twenty_questions.csv")


def test_a_csv_of_twenty_questions_becomes_a_comparison_without_an_edit(
    tmp_path: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    project = str(tmp_path / "trivia")

    def harness(*arguments: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["harness", *arguments, "--json"])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        assert code == 0, captured.err
        return json.loads(captured.out)

    made = harness("init", project, "--golden", str(QUESTIONS))
    assert made["systems"] == ["zero_shot", "brief"]
    assert harness("check", project)["golden_set"]["items"] == 20

    runs = harness("run", project)["runs"]
    assert {name: run["status"] for name, run in runs.items()} == {"zero_shot": "finished", "brief": "finished"}

    rows = {row["metric"]: row for row in harness(*made["next"][2].split()[1:])}
    assert list(rows) == ["golden/contains_reference", "golden/exact_match", "golden/token_f1"]
    assert {row["n"] for row in rows.values()} == {20}
    assert rows["golden/contains_reference"]["baseline_value"] > 0.2  # it knows the capital of France

    (counted,) = harness("sql", "SELECT count(*) AS n, count(text) AS texts FROM v_generations")
    assert (counted["n"], counted["texts"]) == (40, 40)

    monkeypatch.setenv("HARNESS_LOGIN", "off")  # there is no browser with a cookie
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # which a page takes the place of
    app = AppTest.from_file(str(shipped("reports") / "app.py"), default_timeout=60).run()
    assert not app.exception
    page = " ".join(element.proto.body for element in app.get("html"))
    assert "zero_shot" in page
    assert "20 items" in page
