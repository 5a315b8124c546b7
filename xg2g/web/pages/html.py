"""HTML, built as a tree: what is text stays text, whoever wrote it."""

from xml.etree import ElementTree

Element = ElementTree.Element


def tag(name: str, /, *content: Element | str, **attributes: str) -> Element:
    """An element. `class_` stands for the attribute that is a word of Python's."""
    made = Element(name, {key.rstrip("_"): value for key, value in attributes.items()})
    last: Element | None = None
    for item in content:
        if not isinstance(item, str):
            made.append(item)
            last = item
        elif last is None:
            made.text = (made.text or "") + item
        else:
            last.tail = (last.tail or "") + item
    return made


def document(root: Element) -> str:
    """The whole page."""
    return f"<!doctype html>\n{ElementTree.tostring(root, encoding='unicode', method='html')}\n"
