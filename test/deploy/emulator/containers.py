"""The container image, as a process on this machine."""

import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.request
import uuid

from ministack.services import sts

from settings import ACCOUNT, CONTAINER, LONGEST_WORK, PORT, REGION, WORK, log

#: Of this process's own environment a container gets no more.
_KEPT = ("PATH", "HOME", "LANG", "ORT_DISABLE_TELEMETRY")


#: Those that were started, for the end of this process.
_started = []


def stop_all():
    for copy in _started:
        copy.process.kill()


class Copy:
    """One container of a model."""

    def __init__(self, model):
        environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **model["PrimaryContainer"].get("Environment", {}),
            **session_of(model["ExecutionRoleArn"], "SageMaker"),
            # The image says cuda; there is no GPU here, and more than one container.
            "PROVIDER": "cpu",
            "PORT": "0",
            "BIND_ADDRESS": "127.0.0.1",
            "MODEL_DIRECTORY": tempfile.mkdtemp(prefix="model-", dir=WORK),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORT}",
            "AWS_REGION": REGION,
        }
        self._log = tempfile.NamedTemporaryFile("w+", suffix=".log", prefix="container-", dir=WORK, delete=False)
        self.process = subprocess.Popen(CONTAINER, env=environment, stdout=self._log, stderr=self._log)
        _started.append(self)
        log("container", pid=self.process.pid, file=self._log.name, model=model["PrimaryContainer"])

    @property
    def output(self):
        with open(self._log.name) as file:
            return file.read()

    @property
    def url(self):
        found = re.search(r'"listening","port":(\d+)', self.output)
        return f"http://127.0.0.1:{found[1]}" if found else None

    def wait_until_healthy(self):
        """@raises ValueError with what the container said last"""
        until = time.time() + LONGEST_WORK
        while time.time() < until:
            if self.process.poll() is not None:
                raise ValueError(self._failure(f"it ended with {self.process.returncode}"))
            if self._is_healthy():
                return
            time.sleep(0.1)
        self.stop()
        raise ValueError(self._failure(f"it was not ready after {LONGEST_WORK:.0f} s"))

    def stop(self):
        """SIGTERM, and SIGKILL 30 s later, as SageMaker does."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        log("container ended", pid=self.process.pid, code=self.process.returncode)

    def _failure(self, why):
        return f"The container did not pass the ping health check: {why}: {self.output[-600:]}"

    def _is_healthy(self):
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2) as answer:
                return answer.status == 200
        except (OSError, ValueError):
            return False


def session_of(role_arn, name):
    """Credentials of a role, as variables of a process that has no others."""
    key, secret, token = f"ASIA{uuid.uuid4().hex[:16].upper()}", uuid.uuid4().hex, uuid.uuid4().hex
    role = role_arn.rsplit("/", 1)[-1]
    sts.register_session(key, {
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "UserId": f"{role}:{name}", "SecretAccessKey": secret, "SessionToken": token,
    })
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}
