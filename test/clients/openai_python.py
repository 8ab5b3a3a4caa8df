"""Calls of OpenAI's own Python package as tutorials have them; one JSON object a call on stdout.

python openai_python.py URL KEY < variants.json
"""

import base64
import io
import json
import sys
import urllib.request

import openai

url, key = sys.argv[1:]
client = openai.OpenAI(base_url=f"{url}/v1", api_key=key)
prompt = "A tree in a field under the night sky"


def tell(name, **said):
    print(json.dumps({"name": name, **said}), flush=True)


def pictures(response):
    """Of each picture: where it came from, and the size and format that its bytes have."""
    told = []
    for picture in response.data:
        if picture.b64_json is not None:
            told.append({"by": "b64_json", "base64": picture.b64_json})
        if picture.url is not None:
            with urllib.request.urlopen(picture.url) as answer:
                kind = answer.headers["content-type"]
                told.append({"by": "url", "type": kind, "base64": to_base64(answer.read())})
    return told


def to_base64(data):
    return base64.b64encode(data).decode()


def refusal(call):
    try:
        call()
    except openai.APIStatusError as error:
        return {"kind": type(error).__name__, "status": error.status_code, "param": error.param, "code": error.code}
    return {"kind": "none"}


asked = json.load(sys.stdin)
for name, body, *_ in asked["variants"]:
    tell(name, pictures=pictures(client.images.generate(prompt=prompt, **body)))
for name, body, *_ in asked["refused"]:
    extra = {"extra_body": body}
    tell(name, refusal=refusal(lambda: client.images.generate(prompt=prompt, **extra)))

first = client.images.generate(prompt=prompt, response_format="b64_json")
file = io.BytesIO(base64.b64decode(first.data[0].b64_json))
file.name = "tree.png"
edited = client.images.edit(image=file, prompt="A tree in a field at sunrise", size="1024x1024", response_format="url")
tell("edit", pictures=pictures(edited))
file.seek(0)
listed = client.images.edit(image=[file], prompt="A tree in a field at sunrise", extra_body={"strength": 0.4})
tell("edit of a list", pictures=pictures(listed))
file.seek(0)
tell("variation", refusal=refusal(lambda: client.images.create_variation(image=file)))

with client.images.with_streaming_response.generate(prompt=prompt, model="gpt-image-1") as raw:
    tell("raw", status=raw.status_code, type=raw.headers["content-type"])
events = [event.type for event in client.images.generate(prompt=prompt, stream=True, partial_images=2)]
tell("stream", events=events)
tell("models", ids=[model.id for model in client.models.list()])
stranger = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-another", max_retries=0)
tell("another key", refusal=refusal(lambda: stranger.images.generate(prompt=prompt)))
