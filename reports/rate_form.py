"""The rating form: scripts and style of `form/` as one file that a browser keeps, and the component that starts it.

Streamlit sends a component's script with every change of its data, so with every screen and every draft. What it sends
here is a line that imports the file.
"""

import json
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit.components.v2 import component

from harness.hashing import content_hash

_FOLDER = Path(__file__).resolve().parent / "form"
# In the order of what each builds on.
_SCRIPTS = ("storage", "judgement", "elements", "form", "draw", "keys")


def _script() -> str:
    parts = [(_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    style = json.dumps((_FOLDER / "form.css").read_text(encoding="utf-8"))
    return "\n".join([*parts, f"const STYLE = {style};", "export { mount, STYLE };"])


SCRIPT = _script()
PATH = f"/form/{content_hash(SCRIPT)[:16]}.js"  # another one whenever the form changes


async def _serve(_request: Request) -> Response:
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(SCRIPT, media_type="text/javascript", headers=headers)


route = Route(PATH, _serve)

rate_form = component(
    "rate_form",
    html='<div class="rate"></div>',
    js=(_FOLDER / "component.js").read_text(encoding="utf-8").replace("FORM_PATH", PATH),
)
