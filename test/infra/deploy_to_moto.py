"""Deploys a synthesised template to moto's CloudFormation, looks at what is there, and deletes it again.

    python3 deploy_to_moto.py TEMPLATE.json      prints one JSON object

moto knows a part of CloudFormation. What it does not know is left out of the template, with stand-ins where the rest
refers to it; the object says what that was.
"""

import io
import json
import os
import sys
import zipfile

os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")

import boto3  # noqa: E402
from moto import mock_aws  # noqa: E402

KNOWN = {
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
}
ASSETS = "cdk-hnb659fds-assets-123456789012-us-east-1"
STACK = "sd-turbo"


def stand_in(value, missing):
    """References to what is left out become names and ARNs that look like them."""
    if isinstance(value, list):
        return [stand_in(item, missing) for item in value]
    if not isinstance(value, dict):
        return value
    name = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
    if name in missing:
        return f"arn:aws:sagemaker:us-east-1:123456789012:stand-in/{name.lower()}"
    return {key: stand_in(item, missing) for key, item in value.items()}


def part_of(template):
    resources = template["Resources"]
    missing = {name for name, resource in resources.items() if resource["Type"] not in KNOWN}
    kept = {}
    for name, resource in resources.items():
        if name in missing:
            continue
        depends = resource.get("DependsOn", [])
        depends = [depends] if isinstance(depends, str) else depends
        kept[name] = {
            **stand_in(resource, missing),
            "DependsOn": [other for other in depends if other not in missing],
        }
    return {"Parameters": template["Parameters"], "Conditions": template["Conditions"], "Resources": kept}, missing


def counts(resources):
    types = sorted(resource["Type"] for resource in resources)
    return {kind: types.count(kind) for kind in types}


def seen():
    """What the services themselves say is there."""
    s3, sqs, functions, iam, logs, api = (
        boto3.client(name) for name in ("s3", "sqs", "lambda", "iam", "logs", "apigateway")
    )
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if bucket["Name"] != ASSETS]
    queues = sqs.list_queues().get("QueueUrls", [])
    return {
        "encryption": [
            s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0][
                "ApplyServerSideEncryptionByDefault"
            ]["SSEAlgorithm"]
            for name in buckets
        ],
        "queues": [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] for url in queues],
        "functions": [
            {key: function[key] for key in ("Runtime", "Timeout", "Handler")}
            | {"Environment": function.get("Environment", {}).get("Variables", {})}
            for function in functions.list_functions()["Functions"]
        ],
        "mappings": [
            {key: mapping.get(key) for key in ("BatchSize", "FunctionResponseTypes", "State")}
            for mapping in functions.list_event_source_mappings()["EventSourceMappings"]
        ],
        "roles": len(iam.list_roles()["Roles"]),
        "logs": sorted(group.get("retentionInDays", 0) for group in logs.describe_log_groups()["logGroups"]),
        "paths": sorted(
            resource["path"]
            for rest in api.get_rest_apis()["items"]
            for resource in api.get_resources(restApiId=rest["id"])["items"]
        ),
    }


def put_assets(template):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=ASSETS)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("index.mjs", "export const handler = async () => undefined;\n")
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            s3.put_object(Bucket=ASSETS, Key=resource["Properties"]["Code"]["S3Key"], Body=archive.getvalue())


@mock_aws
def main(path):
    with open(path) as file:
        template = json.load(file)
    part, missing = part_of(template)
    put_assets(template)
    boto3.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
    formation = boto3.client("cloudformation")
    formation.create_stack(StackName=STACK, TemplateBody=json.dumps(part), Capabilities=["CAPABILITY_IAM"])
    status = formation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    deployed = seen()
    formation.delete_stack(StackName=STACK)
    result = {
        "status": status,
        "deployed": counts(part["Resources"].values()),
        "left_out": counts(template["Resources"][name] for name in missing),
        "seen": deployed,
        "after": seen(),
    }
    json.dump(result, sys.stdout)


main(sys.argv[1])
