"""What test/deploy/emulator.ts tells this process, by environment variables; and the log."""

import json
import os
import shlex
import threading
import time

REGION = "us-east-1"
ACCOUNT = "000000000000"
PORT = int(os.environ["GATEWAY_PORT"])
CONTROL_PORT = int(os.environ["CONTROL_PORT"])
WORK = os.environ["WORK"]
#: Command line of the container's server.
CONTAINER = shlex.split(os.environ["CONTAINER"])
#: From the call that asks for a copy until its container starts. Seconds.
WAKE_SECONDS = float(os.environ.get("WAKE_SECONDS", "1"))
#: From an instance's last process until it is stopped, as AWS takes some time: who comes then, comes too late. Seconds.
STOP_SECONDS = float(os.environ.get("STOP_SECONDS", "5"))
#: By how much SQS's waits are shortened.
HASTE = float(os.environ.get("HASTE", "10"))
#: A container or a custom resource that takes longer is stuck: here the work of minutes takes a second or,
#: on a machine that is busy with other things, a minute. Seconds.
LONGEST_WORK = float(os.environ.get("LONGEST_WORK", "300"))
#: A module that every Node process of a function loads first: its network.
FUNCTION_PRELOAD = os.environ["FUNCTION_PRELOAD"]

_lock = threading.Lock()
_log = open(os.path.join(WORK, "emulator.log"), "a", buffering=1)


def log(what, **fields):
    with _lock:
        print(json.dumps({"time": time.strftime("%H:%M:%S"), "what": what, **fields}, default=str), file=_log)


def arn(service, resource):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
