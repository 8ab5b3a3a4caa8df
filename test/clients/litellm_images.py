"""LiteLLM's image API before this service; one JSON object on stdout.

python litellm_images.py URL KEY
"""

import json
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm  # noqa: E402

litellm.suppress_debug_info = True

url, key = sys.argv[1:]
common = {"api_base": f"{url}/v1", "api_key": key, "prompt": "A tree in a field under the night sky"}
told = {}

answer = litellm.image_generation(model="openai/dall-e-3", size="1024x1024", quality="standard", **common)
told["dall-e-3"] = [[bool(each["b64_json"]), each["url"]] for each in answer.data]
answer = litellm.image_generation(model="openai/dall-e-2", n=2, **common)
told["dall-e-2"] = [each["b64_json"] for each in answer.data]
answer = litellm.image_generation(model="openai/gpt-image-1", size="1536x1024", **common)
told["gpt-image-1"] = [each["b64_json"] for each in answer.data]
try:
    litellm.image_generation(model="openai/dall-e-3", **{**common, "api_key": "sk-another"})
except litellm.AuthenticationError as error:
    told["another key"] = error.status_code
print(json.dumps(told))
