"""Lambda and SQS, where ministack looks away."""

import os
import threading
import time

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sqs
from ministack.services.cloudformation import provisioners

from permissions import role_may
from settings import FUNCTION_PRELOAD, HASTE, LONGEST_WORK, WORK, arn

_READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_output = open(os.path.join(WORK, "functions.log"), "a", buffering=1)
_lock = threading.Lock()


def check_event_sources():
    """What CreateEventSourceMapping refuses: a queue that is visible again too soon, a role that may not read it."""
    source = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    create = source["create"]

    def create_checked(logical_id, properties, stack_name):
        queue_arn = properties["EventSourceArn"]
        record, _, _ = lambda_svc._get_func_record_for_ref(properties["FunctionName"])
        queue = next((q for q in sqs._queues.values() if q["attributes"]["QueueArn"] == queue_arn), None)
        if record is None or queue is None:
            raise ValueError(f"there is no {queue_arn} or no function {properties['FunctionName']}")
        timeout, visible = int(record["config"]["Timeout"]), int(queue["attributes"]["VisibilityTimeout"])
        if visible < timeout:
            raise ValueError(f"Queue visibility timeout: {visible} seconds is less than Function timeout: {timeout} seconds")
        for action in _READS:
            if not role_may(record["config"]["Role"], action, queue_arn):
                raise ValueError(f"The provided execution role does not have permissions to call {action} on SQS")
        return create(logical_id, properties, stack_name)

    source["create"] = create_checked


def give_functions_this_network():
    """Each process of a function loads test/deploy/network.mjs first, which stands for DNS and the way to the Internet."""
    spawn = lambda_runtime.Worker._spawn

    def spawn_with_network(self):
        _check_log(self.config)
        variables = self.config.get("Environment", {}).get("Variables", {})
        options = f"{variables.get('NODE_OPTIONS', '')} --import={FUNCTION_PRELOAD}".strip()
        asked, self.config = self.config, {
            **self.config, "Environment": {"Variables": {**variables, "NODE_OPTIONS": options}}}
        try:
            spawn(self)
        finally:
            self.config = asked

    lambda_runtime.Worker._spawn = spawn_with_network


def let_calls_end():
    """A function whose settings change answers what it was asked before."""
    kill = lambda_runtime.kill_workers

    def kill_when_free(workers):
        kill([worker for worker in workers if not worker.in_use])
        for worker in workers:
            if worker.in_use:
                threading.Thread(target=_wait_and, args=(kill, worker), daemon=True).start()

    lambda_runtime.kill_workers = kill_when_free
    # Where a call itself has come to its end.
    lambda_runtime.Worker.kill = lambda worker: kill([worker])


def _wait_and(kill, worker):
    until = time.time() + LONGEST_WORK
    while worker.in_use and time.time() < until:
        time.sleep(0.1)
    kill([worker])


def _check_log(config):
    group = config.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{config['FunctionName']}")
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        role_may(config["Role"], action, arn("logs", f"log-group:{group}:log-stream:x"))


def keep_what_functions_say():
    """In one file, with how each call has ended; and no function takes longer than the work is worth here."""
    invoke = lambda_runtime.Worker.invoke

    def invoke_and_keep(self, *args, **named):
        asked, self.config = self.config, {**self.config, "Timeout": min(float(self.config["Timeout"]), LONGEST_WORK)}
        try:
            result = invoke(self, *args, **named)
        except Exception as error:
            _keep(self.func_name, f"error {error}")
            raise
        finally:
            self.config = asked
        _keep(self.func_name, f"{result.get('status')} {result.get('error') or ''}", result.get("log"))
        return result

    lambda_runtime.Worker.invoke = invoke_and_keep


def _keep(name, ended, said=None):
    with _lock:
        print(f"-- {name}: {ended}".replace("\n", " "), said or "", sep="\n", file=_output)


def hurry_queues():
    """SQS's waits: a message that is to be received again in 20 s comes in 2."""

    def hurried(action, *members):
        do = sqs._HANDLERS[action]

        def do_soon(data, url):
            shorter = {name: int(int(data[name]) / HASTE) for name in members if name in data}
            return do({**data, **shorter}, url)

        sqs._HANDLERS[action] = do_soon

    hurried("ChangeMessageVisibility", "VisibilityTimeout")
    hurried("SendMessage", "DelaySeconds")
    # A poll goes on here when its caller has gone, and takes a message with it: it is over before an instance has stopped.
    hurried("ReceiveMessage", "WaitTimeSeconds")
