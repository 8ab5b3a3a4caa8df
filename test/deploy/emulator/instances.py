"""EC2's instances: made by CloudFormation, started and changed by the three calls of a wake."""

import base64
import json

from ministack.services import ec2, eventbridge, iam, ssm
from ministack.services.cloudformation import provisioners, wait_conditions

from machines import Machine
from permissions import role_may
from provisioning import register
from settings import ACCOUNT, LONGEST_WORK, arn

KIND = "AWS::EC2::Instance"
IMAGE_PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/recommended/image_id"

_VCPUS = {"g4dn.xlarge": 4, "g4dn.2xlarge": 8, "g5.xlarge": 4, "g6.xlarge": 4}
#: Changed, these make a new instance; the rest is not changed here.
_REPLACING = ("BlockDeviceMappings", "IamInstanceProfile", "ImageId", "InstanceType", "NetworkInterfaces", "UserData")

#: Those that are there, and the stacks that made them.
machines, stacks = {}, {}
#: vCPUs of GPU instances that may be up at once, as control.py tells it.
quota = {"vcpus": 8}


def recommend_image(asked):
    """Another machine image is the one that AWS recommends from now on."""
    ssm._PUBLIC_AMI_PARAMETERS[IMAGE_PARAMETER] = asked["id"]


def set_quota(asked):
    """AWS has granted another one."""
    quota["vcpus"] = asked["vcpus"]


def _above_quota(instance_type):
    """What EC2 says where one more cannot come up; None where it can. One that stops still counts."""
    up = [machine.record["InstanceType"] for machine in machines.values() if machine.state in ("pending", "running", "stopping")]
    if sum(_VCPUS[kind] for kind in (*up, instance_type)) <= quota["vcpus"]:
        return None
    return (f"You have requested more vCPU capacity than your current vCPU limit of {quota['vcpus']} allows for the instance bucket "
            "that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an "
            "adjustment to this limit.")


def describe():
    return {
        name: {"stack": stacks[name], "state": machine.state, "starts": machine.starts,
               "type": machine.record["InstanceType"], "image": machine.record["ImageId"]}
        for name, machine in machines.items()
    }


def create_instance(logical_id, properties, stack_name):
    """Made, started, and waited for until it has signalled."""
    network = properties["NetworkInterfaces"][0]
    name = properties["IamInstanceProfile"]
    refusal = _above_quota(properties["InstanceType"])
    if refusal:
        raise ValueError(f"{refusal} (Service: Ec2, Status Code: 400, Error Code: VcpuLimitExceeded)")
    profile, role = _profile(name)
    subnet = ec2._subnets.get(network["SubnetId"])
    if subnet is None:
        raise ValueError(f"The subnet ID '{network['SubnetId']}' does not exist")
    record, = ec2._launch_instances_internal(
        properties["ImageId"], properties["InstanceType"], network["SubnetId"], 1, sg_ids=network["GroupSet"],
        iam_profile={"Arn": profile["Arn"], "Id": profile["InstanceProfileId"]})
    record["Placement"]["AvailabilityZone"] = subnet["AvailabilityZone"]
    user_data = base64.b64decode(properties["UserData"]).decode()
    if len(user_data) > 16_384:
        raise ValueError("User data is limited to 16384 bytes")
    instance_id = record["InstanceId"]
    ec2._tags[instance_id] = list(properties.get("Tags", []))
    stacks[instance_id] = stack_name
    machine = machines[instance_id] = Machine(record, role, user_data, tell)
    machine.start()
    try:
        _wait_for_signal(logical_id, stack_name)
    except Exception:
        delete_instance(instance_id, properties)
        raise
    return instance_id, {"AvailabilityZone": subnet["AvailabilityZone"], "PrivateIp": record["PrivateIpAddress"]}


def _wait_for_signal(logical_id, stack_name):
    policy = provisioners._cfn_wait_condition_definition(stack_name, logical_id).get("CreationPolicy")
    if not policy:
        return
    signal, stack_id = policy["ResourceSignal"], provisioners._cr_stack_id(stack_name)
    count = wait_conditions.validate_count(signal.get("Count"), logical_id)
    seconds = wait_conditions.validate_resource_signal_timeout(signal.get("Timeout"), logical_id)
    token = wait_conditions.register_slot(stack_id)
    try:
        wait_conditions.wait_for(token, stack_id, stack_name, logical_id, KIND, count, min(seconds, LONGEST_WORK))
    except RuntimeError as error:
        # In CloudFormation's words: a signal to a resource has an id, and nothing else.
        raise ValueError(f"Received FAILURE signal with UniqueId {str(error).rpartition('for uniqueId: ')[2]}") from error


def _profile(name):
    """An instance profile, and the ARN of its role. `Ref` is its name on AWS, and its ARN here."""
    profile = iam._instance_profiles.get(name.rsplit("/", 1)[-1])
    if profile is None:
        raise ValueError(f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name")
    return profile, f"arn:aws:iam::{ACCOUNT}:role/{profile['Roles'][0]}"


def delete_instance(instance_id, properties):
    machine = machines.pop(instance_id, None)
    if machine:
        machine.terminate()
        ec2._tags.pop(instance_id, None)
        ec2._discard_instance_records(machine.record)


def tell(machine, state):
    """EventBridge hears of every state."""
    detail = json.dumps({"instance-id": machine.id, "state": state})
    entry = {"Source": "aws.ec2", "DetailType": "EC2 Instance State-change Notification", "Detail": detail,
             "Resources": [arn("ec2", f"instance/{machine.id}")]}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def power_off(asked):
    machines[asked["id"]].power_off()


def stop(asked):
    machines[asked["id"]].stop()


def check_log(asked):
    """@raises ValueError where an instance's role may not write a log"""
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        if not role_may(machines[asked["id"]].role, action, arn("logs", f"log-group:{asked['group']}:log-stream:x")):
            raise ValueError(f"not authorized to perform {action}")


def start_instances(params):
    found, error = _named(params)
    if error:
        return error
    if any(machine.state == "stopping" for machine in found):
        return _wrong_state(found)
    before = [machine.state for machine in found]
    for machine in found:
        if machine.state == "stopped":
            refusal = _above_quota(machine.record["InstanceType"])
            if refusal:
                return ec2._error("VcpuLimitExceeded", refusal, 400)
            machine.start()
    items = "".join(
        f"<item><instanceId>{machine.id}</instanceId><currentState><code>{machine.record['State']['Code']}</code>"
        f"<name>{machine.state}</name></currentState><previousState><name>{was}</name></previousState></item>"
        for machine, was in zip(found, before))
    return ec2._xml(200, "StartInstancesResponse", f"<instancesSet>{items}</instancesSet>")


def modify_attribute(params):
    found, error = _named(params)
    if error:
        return error
    wanted = ec2._p(params, "InstanceType.Value")
    if not wanted:
        return ec2._error("InvalidParameterCombination", "only the type of an instance can be changed here", 400)
    if found[0].state != "stopped":
        return _wrong_state(found)
    found[0].record["InstanceType"] = wanted
    return ec2._xml(200, "ModifyInstanceAttributeResponse", "<return>true</return>")


def terminate_by_hand(params):
    found, error = _named(params)
    for machine in found:
        machine.terminate()
    return error or ec2._xml(200, "TerminateInstancesResponse", "<instancesSet/>")


def _named(params):
    ids = ec2._parse_member_list(params, "InstanceId") or [ec2._p(params, "InstanceId")]
    unknown = [name for name in ids if name not in machines]
    if unknown:
        return [], ec2._error("InvalidInstanceID.NotFound", f"The instance ID '{unknown[0]}' does not exist", 400)
    return [machines[name] for name in ids], None


def _wrong_state(found):
    return ec2._error(
        "IncorrectInstanceState", f"The instance '{found[0].id}' is not in a state from which it can be changed", 400)


def _filter_by_id():
    matches = ec2._matches_filters
    ec2._matches_filters = lambda record, filters: (
        record["InstanceId"] in filters.get("instance-id", [record["InstanceId"]]) and matches(record, filters))


def stop_all():
    for machine in machines.values():
        machine.terminate()


def install():
    register(KIND, create_instance, delete_instance, replacing=_REPLACING)
    # Whose an instance is stands in a tag.
    provisioners._STACK_TAG_PROPERTY[KIND] = ("Tags", "list")
    ec2._ACTION_MAP.update(
        StartInstances=start_instances, ModifyInstanceAttribute=modify_attribute, TerminateInstances=terminate_by_hand)
    _filter_by_id()
    recommend_image({"id": "ami-0123456789abcdef0"})
