"""ministack with the pieces of pieces.py. Settings: settings.py.

    python test/deploy/emulator
"""

import atexit
import os
import signal
import threading
import time

from settings import CONTROL_PORT, PORT

os.environ.update(
    AUTH="true", GATEWAY_PORT=str(PORT), EDGE_PORT=str(PORT), BIND_HOST="127.0.0.1", MINISTACK_HOST="127.0.0.1",
)
# ministack takes them for its own caller, who may do everything; functions and containers get those of their roles.
os.environ.pop("AWS_ACCESS_KEY_ID", None)
os.environ.pop("AWS_SECRET_ACCESS_KEY", None)
# Functions inherit these with the rest of this process's environment.
for service in ("SAGEMAKER", "SAGEMAKER_RUNTIME"):
    os.environ[f"AWS_ENDPOINT_URL_{service}"] = f"http://127.0.0.1:{CONTROL_PORT}"

from containers import stop_all  # noqa: E402
from control import make_server  # noqa: E402
from instances import stop_all as stop_machines  # noqa: E402
from ministack import app  # noqa: E402
from pieces import PIECES  # noqa: E402

for install, _ in PIECES:
    install()


def end_with_parent():
    """Whoever started this holds the other end of its stdin."""
    while os.read(0, 1024):
        pass
    stop_machines()
    stop_all()
    os.kill(os.getpid(), signal.SIGTERM)
    # ministack waits for those who are connected; nobody is any more.
    time.sleep(5)
    os._exit(1)


atexit.register(stop_all)
atexit.register(stop_machines)
for work in (make_server().serve_forever, end_with_parent):
    threading.Thread(target=work, daemon=True).start()
app.main()
