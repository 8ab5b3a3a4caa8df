"""How CloudFormation makes, changes and deletes."""

import heapq
import uuid

from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource, provisioners, stacks
from ministack.services.cloudformation.engine import _extract_deps

from properties import check_properties

#: What others need, and what nobody waits for unless the template says so.
_LATE = ("AWS::IAM::Policy", "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::Lambda::Permission")

#: Made by processes that talk to this emulator meanwhile.
_SLOW = ("AWS::EC2::Instance", "AWS::SageMaker::InferenceComponent")


def made_up(stack_name, logical_id):
    return f"{stack_name}-{logical_id}-{uuid.uuid4().hex[:12]}"


def register(kind, create, delete, update=None, replacing=()):
    """A resource type; `replacing`: its schema's createOnlyProperties."""
    handlers = {"create": create, "delete": delete}
    if update:
        handlers.update(update=update, update_with_logical_id=True)
    provisioners._RESOURCE_HANDLERS[kind] = handlers
    if replacing:
        provisioners._REPLACING_PROPERTIES[kind] = replacing


def check_all_properties():
    provision, update = stacks._provision_keeping_seed, stacks._update_keeping_seed

    def provision_checked(kind, logical_id, properties, stack_name):
        _check(stack_name, kind, properties)
        return provision(kind, logical_id, properties, stack_name)

    def update_checked(kind, physical_id, old, new, stack_name, *rest):
        _check(stack_name, kind, new)
        return update(kind, physical_id, old, new, stack_name, *rest)

    stacks._provision_keeping_seed, stacks._update_keeping_seed = provision_checked, update_checked


def _check(stack_name, kind, properties):
    # The bootstrap's template is CDK's own.
    if stack_name != "CDKToolkit":
        check_properties(kind, properties)


def order_unkindly():
    """AWS makes at once whatever waits for nothing; here permissions come last, custom resources before them."""

    def sort(resources, conditions):
        active = {name for name, held in resources.items() if conditions.get(held.get("Condition"), True)}
        waits = {name: (_extract_deps(resources[name], active) & active) - {name} for name in active}
        ready = [(_lateness(resources[name]), name) for name in active if not waits[name]]
        heapq.heapify(ready)
        order = []
        while ready:
            _, done = heapq.heappop(ready)
            order.append(done)
            for name in active:
                if done in waits[name]:
                    waits[name] = waits[name] - {done}
                    if not waits[name]:
                        heapq.heappush(ready, (_lateness(resources[name]), name))
        if len(order) != len(active):
            raise ValueError(f"Circular dependency between resources: {sorted(active - set(order))}")
        return order

    stacks._topological_sort = sort


def _lateness(resource):
    return 2 if resource["Type"] in _LATE else 1 if resource["Type"].startswith("Custom::") else 0


def end_silent_custom_resources():
    """AWS waits for an answer until the resource's own time is up, an hour by default. Here a function that has ended
    without one fails at once, with what it said last; how long a function may take is bounded in functions.py."""
    execute = lambda_svc._execute_function_with_config_scope

    def execute_and_tell(record, event):
        result = execute(record, event)
        token = str(event.get("ResponseURL", "")).rsplit("/", 1)[-1] if isinstance(event, dict) else ""
        waiting = custom_resource._pending.get(token)
        if waiting and waiting["result"] is None:
            said = (result.get("body") if result.get("error") else None) or "it returned"
            reason = f"The function ended without an answer to CloudFormation: {said} {(result.get('log') or '')[-600:]}"
            custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": reason})
        return result

    lambda_svc._execute_function_with_config_scope = execute_and_tell


def keep_the_loop_free():
    blocks = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind in _SLOW or blocks(kind)
