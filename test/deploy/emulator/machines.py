"""An EC2 instance: what its user data makes of it, below a folder of its own, with commands.py for what it has not here."""

import configparser
import contextvars
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time

from containers import session_of
from settings import CONTAINER, CONTROL_PORT, PORT, REGION, STOP_SECONDS, WAKE_SECONDS, WORK, log

#: What scripts find on an instance, and do not find here.
COMMANDS = ("aws", "cfn-signal", "dnf", "docker", "modprobe", "nvidia-ctk", "nvidia-smi", "systemctl", "systemd-run")
_COMMANDS_FILE = os.path.join(os.path.dirname(__file__), "commands.py")
#: Where scripts write; all of it comes to lie below the machine's folder.
_WRITTEN = ("/opt/sd-turbo", "/etc/systemd", "/var/log", "/var/lib/cloud")
_UNIT = "etc/systemd/system/worker.service"
#: What a process may take to end once it is told to: the unit's own limit. Seconds.
_END_SECONDS = 75

_CODES = {"pending": 0, "running": 16, "terminated": 48, "stopping": 64, "stopped": 80}


class Machine:
    """Boots, runs the unit as systemd does at each boot but the first, and powers off when somebody says so."""

    def __init__(self, record, role_arn, user_data, tell):
        """@param tell called with each state that the instance has come to"""
        self.record, self.role, self._tell = record, role_arn, tell
        self.id, self.starts = record["InstanceId"], 0
        self.folder = tempfile.mkdtemp(prefix=f"{self.id}-", dir=WORK)
        self._process = self._boot = None
        # The emulator knows by it whose account this is.
        self._context = contextvars.copy_context()
        self.record["State"] = {"Code": _CODES["stopped"], "Name": "stopped"}
        self._write("var/lib/cloud/data/instance-id", f"{self.id}\n")
        self._write("user-data.sh", self._moved(user_data))
        for name in (*_WRITTEN, "bin"):
            os.makedirs(os.path.join(self.folder, name.lstrip("/")), exist_ok=True)
        os.makedirs(os.path.dirname(os.path.join(self.folder, _UNIT)), exist_ok=True)
        for name in COMMANDS:
            path = self._write(f"bin/{name}", f'#!/bin/sh\nexec {sys.executable} {_COMMANDS_FILE} {name} "$@"\n')
            os.chmod(path, 0o755)

    @property
    def state(self):
        return self.record["State"]["Name"]

    def start(self):
        """Returns at once."""
        self.starts += 1
        self._set("pending")
        self.record["LaunchTime"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        self._boot = self._thread(self._come_up)

    def power_off(self):
        """Returns at once, as `systemctl poweroff` does, whose caller is about to end by himself."""
        self._leave(grace=5)

    def stop(self):
        """EC2 is told to: returns at once, and tells whatever runs to end."""
        self._leave(grace=0)

    def terminate(self):
        self._set("terminated")
        self._end_process(0, signal=9)

    def _come_up(self):
        time.sleep(WAKE_SECONDS)
        if self.state != "pending":
            return
        self._set("running")
        if self.starts == 1:
            self._run(["bash", os.path.join(self.folder, "user-data.sh")])
        else:
            self._run_unit()

    def _run_unit(self):
        """systemd, as the unit's own file tells it."""
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read(os.path.join(self.folder, _UNIT))
        service = unit["Service"]
        for _ in range(int(unit["Unit"]["StartLimitBurst"])):
            code = self._run(shlex.split(service["ExecStart"]))
            result = "success" if code == 0 else "exit-code"
            log("worker ended", instance=self.id, result=result)
            self._run(shlex.split(service["ExecStopPost"]), SERVICE_RESULT=result)
            if self.state != "running":
                return
            time.sleep(float(service["RestartSec"]))
        # OnFailure=poweroff.target
        self.power_off()

    def _leave(self, grace):
        if self.state == "running":
            self._set("stopping")
            self._thread(lambda: self._go_down(grace))

    def _go_down(self, grace):
        self._end_process(grace)
        self._boot.join()
        time.sleep(STOP_SECONDS)
        if self.state == "stopping":
            self._set("stopped")

    def _run(self, command, **variables):
        environment = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "HOME": self.folder, "ORT_DISABLE_TELEMETRY": "1",
            "MACHINE": self.folder, "INSTANCE": self.id, "CONTROL": f"http://127.0.0.1:{CONTROL_PORT}",
            "CONTAINER": shlex.join(CONTAINER),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORT}", "AWS_DEFAULT_REGION": REGION,
            "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": "true",
            **session_of(self.role, self.id), **variables,
        }
        with open(os.path.join(self.folder, "console.log"), "a") as console:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
            return self._process.wait()

    def _end_process(self, grace, signal=15):
        """@param grace seconds that it has to end by itself"""
        process = self._process
        if process is None or process.poll() is not None:
            return
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            _signal(process, signal)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(process, 9)

    def _set(self, state):
        self.record["State"] = {"Code": _CODES[state], "Name": state}
        log("instance", id=self.id, state=state)
        self._context.copy().run(self._tell, self, state)

    def _thread(self, work):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def _moved(self, text):
        for path in _WRITTEN:
            text = text.replace(path, self.folder + path)
        return text

    def _write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path


def _signal(process, number):
    """To its children, too: a script waits for them."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
