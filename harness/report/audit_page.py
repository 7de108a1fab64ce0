"""An audit of training data as one self-contained page: no script, no network, pictures inside."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.data.audit_finding import AuditReport


def render_audit(report: AuditReport, *, version: str) -> str:
    """The page, as one HTML document. Everything out of the file is shown as text.

    Args:
        report: What the audit found.
        version: Of harness.
    """
    return _environment().get_template("audit.html.j2").render(report=report, version=version)


@cache
def _environment() -> Environment:
    environment: Any = Environment(  # jinja2 leaves the types of filters and globals open
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment
