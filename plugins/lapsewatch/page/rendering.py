"""Templates made into pages, and what all of them can use."""

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

from lapsewatch.core.wording import counted, day
from lapsewatch.page import addresses, wording
from lapsewatch.page.columns import Kind, cell

STATIC = Path(__file__).with_name("static")


def static(name: str) -> str:
    """Return the path of a file that the page is made of: it changes with what is in the file, so it may be kept."""
    return f"{addresses.HOME}/static/{name}?{_DIGESTS[name]}"


_DIGESTS = {
    str(file.relative_to(STATIC)): hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    for file in STATIC.rglob("*")
    if file.is_file()
}

_templates = Jinja2Templates(Path(__file__).with_name("templates"))
_templates.env.trim_blocks = _templates.env.lstrip_blocks = True
_templates.env.globals |= {"addresses": addresses, "static": static, "counted": counted, "Kind": Kind}
_templates.env.filters |= {
    "day": day,
    "minute": wording.minute,
    "named": wording.named,
    "cell": cell,
    "phase": wording.phase,
    "meaning": wording.meaning,
}


def render(request: Request, template: str, shown: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return the page that the template makes of what is to be shown."""
    return _templates.TemplateResponse(request, template, shown, status_code=status)


def message(request: Request, status: HTTPStatus, text: str) -> Response:
    """Return a page that says no more than that."""
    return render(request, "message.html", {"title": status.phrase, "text": text}, status)
