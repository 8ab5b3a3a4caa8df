"""The client of the Truss example sd-turbo's README, with URL and key changed: truss_client.py URL KEY OUT.png"""

import base64
import sys
from io import BytesIO

import requests

BASE64_PREAMBLE = "data:image/png;base64,"
url, key, out = sys.argv[1:]

resp = requests.post(
    f"{url}/predict",
    headers={"Authorization": f"Api-Key {key}"},
    json={"prompt": "A tree in a field under the night sky"},
)
data = resp.json()
content = base64.b64decode(data["result"].replace(BASE64_PREAMBLE, ""))

try:
    from PIL import Image
except ImportError:
    with open(out, "wb") as file:
        file.write(content)
else:
    img = Image.open(BytesIO(content))
    print(img.format, *img.size)
    img.save(out)
