"""What JSON Schema cannot say of a request, so that what is valid by it is valid."""

import base64
import re

import schemathesis
from schemathesis.generation import GenerationMode

# A PNG of one grey pixel.
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mPoAAAAigCJUps7QwAAAABJRU5ErkJggg=="
)
PICTURE_TEXT = re.compile(r"\s*([Dd][Aa][Tt][Aa]:[^,]*,)?[A-Za-z0-9+/_=%\s-]+")

FORM = "/v1/images/edits"


def is_valid(case):
    return all(part.mode == GenerationMode.POSITIVE for part in case.meta.components.values())


@schemathesis.hook
def filter_case(context, case):
    """Fields of a form are text: what is wrong by its type may be right as it is written."""
    return case.operation.path != FORM or case.meta is None or is_valid(case)


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if not isinstance(body, dict):
        return
    if body.get("stream") and body.get("response_format") == "url":
        body["response_format"] = "b64_json"
    if case.operation.path == FORM:
        if "image" in body and is_valid(case):
            body["image"] = base64.b64decode(PICTURE)
        return
    image, steps = body.get("image"), body.get("num_steps", 2)
    strength = body.get("strength", 0.5)
    if not (isinstance(image, str) and PICTURE_TEXT.fullmatch(image)):
        return
    body["image"] = PICTURE
    if isinstance(strength, (int, float)) and 0 < strength <= 1 and steps in (1, 2, 3, 4):
        body["strength"] = max(strength, 1 / steps)
