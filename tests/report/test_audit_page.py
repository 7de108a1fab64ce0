import re

from harness.data.audit_finding import AuditReport, Bar, Bars, Observation, judged
from harness.report.audit_page import render_audit

HOSTILE = '<script>alert("x")</script><img src="https://example.com/x.png">'


def report(*, pictures: tuple[Bars, ...] = (), text: str = "plain") -> AuditReport:
    lines = tuple(range(1, 31))
    seen = Observation(check="fields", sentence=f"It says {text}.", value=0.1, lines=lines, examples=(text,))
    return AuditReport(
        path=f"{text}.jsonl",
        sha256="0" * 64,
        records=300,
        facts=(("format", text),),
        findings=(judged(seen, "problem"),),
        pictures=pictures,
        notes=(text,),
        thresholds="default",
        fails=True,
    )


def test_a_page_loads_nothing_and_runs_nothing_whatever_the_file_says() -> None:
    bars = Bars(title=HOSTILE, bars=(Bar(label=HOSTILE, count=3),))
    page = render_audit(report(pictures=(bars,), text=HOSTILE), version="1.0")
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page
    assert "&lt;script&gt;" in page


def test_findings_have_their_lines_and_say_how_many_were_left_out() -> None:
    page = render_audit(report(), version="1.0")
    assert "not ready to train on" in page
    assert "fields" in page
    assert "18, 19, 20 and 10 more" in page


def test_bars_are_as_long_as_their_counts() -> None:
    bars = Bars(
        title="Records by answer",
        bars=(Bar(label="a", count=40), Bar(label="b", count=10, stands_out=True)),
        left_out=2,
    )
    page = render_audit(report(pictures=(bars,)), version="1.0")
    assert re.findall(r'width="([\d.]+)"', page) == ["420.0", "105.0"]
    assert "#d55e00" in page
    assert "2 more are not shown" in page


def test_a_file_without_findings_says_none() -> None:
    sound = AuditReport(
        path="x", sha256="0", records=1, facts=(), findings=(), pictures=(), notes=(), thresholds="default", fails=False
    )
    page = render_audit(sound, version="1.0")
    assert "nothing that keeps from training" in page
    assert "None." in page
