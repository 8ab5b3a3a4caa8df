"""Application Auto Scaling for inference components, and the alarms that ministack refuses: those on metric math."""

import uuid

from ministack.services.cloudformation import provisioners

from api_model import check_call
from instances import stop
from provisioning import made_up, register
from sagemaker import components
from settings import ACCOUNT, REGION, arn, log

targets, policies, alarms = {}, {}, {}


def create_target(logical_id, properties, stack_name):
    for action in properties.get("ScheduledActions", []):
        names = ("ServiceNamespace", "ResourceId", "ScalableDimension")
        check_call("application-autoscaling", "PutScheduledAction", {**action, **{k: properties[k] for k in names}})
    kind, _, name = properties["ResourceId"].partition("/")
    if kind != "inference-component" or name not in components:
        raise ValueError(f"ResourceId {properties['ResourceId']} is no inference component that exists: {list(components)}")
    key = f"{properties['ResourceId']}|{properties['ScalableDimension']}|{properties['ServiceNamespace']}"
    targets[key] = properties
    return key, {"Id": key}


def update_target(physical_id, old, new, stack_name, logical_id=None):
    return create_target(logical_id, new, stack_name)


def create_policy(logical_id, properties, stack_name):
    resource, dimension, namespace = _target_of(properties)
    rest = {k: v for k, v in properties.items() if k != "ScalingTargetId"}
    check_call("application-autoscaling", "PutScalingPolicy",
               {**rest, "ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace})
    physical = (f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{uuid.uuid4()}:resource/sagemaker/{resource}"
                f":policyName/{properties['PolicyName']}")
    policies[physical] = properties
    return physical, {"Arn": physical}


def update_policy(physical_id, old, new, stack_name, logical_id=None):
    policies[physical_id] = new
    return physical_id, {"Arn": physical_id}


def _target_of(properties):
    target = properties["ScalingTargetId"]
    if target not in targets:
        raise ValueError(f"No scalable target registered for {target}")
    return target.split("|")


def create_alarm(logical_id, properties, stack_name):
    name = properties.get("AlarmName") or made_up(stack_name, logical_id)
    alarms[name] = properties
    return name, {"Arn": arn("cloudwatch", f"alarm:{name}")}


def update_alarm(physical_id, old, new, stack_name, logical_id=None):
    alarms[physical_id] = new
    return physical_id, {"Arn": arn("cloudwatch", f"alarm:{physical_id}")}


def raise_alarm(part):
    """What CloudWatch does when an alarm's state becomes ALARM: its actions, here those that scale or stop.

    @param part of the alarm's name
    @raises ValueError where there is not exactly one, or where it does neither
    """
    found = [name for name in alarms if part in name]
    if len(found) != 1:
        raise ValueError(f"{len(found)} alarms have {part} in their names: {list(alarms)}")
    alarm = alarms[found[0]]
    actions = alarm.get("AlarmActions", [])
    done = [_follow(policies[action]) for action in actions if action in policies]
    done += [_stop(alarm) for action in actions if action == f"arn:aws:automate:{REGION}:ec2:stop"]
    if not done:
        raise ValueError(f"alarm {found[0]} has no action that scales or stops: {actions}")
    log("alarm", name=found[0], done=done)
    return done


def _stop(alarm):
    """The instance that the metric is of."""
    instance, = (dimension["Value"] for dimension in alarm["Dimensions"] if dimension["Name"] == "InstanceId")
    stop({"id": instance})
    return {"stopped": instance}


def _follow(policy):
    """A step-scaling policy whose alarm has just reached its threshold."""
    resource, _, _ = policy["ScalingTargetId"].split("|")
    target, component = targets[policy["ScalingTargetId"]], components[resource.split("/")[1]]
    steps = policy["StepScalingPolicyConfiguration"]
    change = next(s["ScalingAdjustment"] for s in steps["StepAdjustments"] if float(s.get("MetricIntervalLowerBound", 0)) <= 0)
    wanted = change if steps["AdjustmentType"] == "ExactCapacity" else component.desired + change
    count = min(max(int(wanted), int(target["MinCapacity"])), int(target["MaxCapacity"]))
    component.scale(count)
    return {"component": component.name, "copies": count}


def install():
    register("AWS::ApplicationAutoScaling::ScalableTarget", create_target,
             lambda physical_id, properties: targets.pop(physical_id, None), update_target,
             replacing=("ResourceId", "ScalableDimension", "ServiceNamespace"))
    register("AWS::ApplicationAutoScaling::ScalingPolicy", create_policy,
             lambda physical_id, properties: policies.pop(physical_id, None), update_policy,
             replacing=("PolicyName", "ScalingTargetId"))
    register("AWS::CloudWatch::Alarm", create_alarm, lambda physical_id, properties: alarms.pop(physical_id, None), update_alarm)
    provisioners._REPLACING_PROPERTIES.setdefault("AWS::CloudWatch::Alarm", ("AlarmName",))
