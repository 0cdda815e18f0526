"""What a page says, as figures and sentences."""

import html
import re


def cells(page: str, table: str) -> list[list[str]]:
    """Return the rows of the table: of each cell its value, or its text."""
    found = re.search(rf'<table id="table-{table}">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert found, f"no table {table}"
    return [
        [_cell(*cell) for cell in re.findall(r"<t[hd]([^>]*)>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", found[1], re.DOTALL)
    ]


def said(page: str) -> str:
    """Return the text of a page, or of a part of one, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def section(page: str, name: str) -> str:
    """Return a section of a page."""
    found = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    assert found, f"no section {name}"
    return found[0]


def notices(page: str) -> dict[str, str]:
    """Return what each notice says, by what it is about, in their order."""
    found = re.findall(r'<section class="notice (\w+)".*?>(.*?)</section>', page, re.DOTALL)
    return {concern: said(text) for concern, text in found}


def _cell(attributes: str, content: str) -> str:
    value = re.search(r'data-(?:value|label)="([^"]*)"', attributes)
    return html.unescape(value[1]) if value else said(content)
