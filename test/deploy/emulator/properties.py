"""Properties of CloudFormation's resources, checked against the calls that they become.

CloudFormation refuses a property that a type does not have; the emulator would look away. A type that is not in this
table is refused, so that nothing goes unchecked.
"""

from dataclasses import dataclass, field

from api_model import check_value, find_member, operation_input, service_model


@dataclass(frozen=True)
class Call:
    """The call that makes a resource."""

    service: str
    operation: str
    #: What the API calls a property, or a member inside it.
    renames: dict = field(default_factory=dict)
    #: Properties that become calls of their own: operation and member, or None where only the name is checked.
    others: dict = field(default_factory=dict)
    #: Members that CloudFormation fills in.
    made_up: tuple = ()


_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_BUCKET = {
    "ServerSideEncryptionConfiguration": "Rules",
    "ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
    "Id": "ID",
    "ExpirationInDays": "Expiration",
}

CALLS = {
    "AWS::ApiGateway::ApiKey": Call("apigateway", "CreateApiKey"),
    "AWS::ApiGateway::Authorizer": Call("apigateway", "CreateAuthorizer"),
    "AWS::ApiGateway::Deployment": Call("apigateway", "CreateDeployment"),
    "AWS::ApiGateway::GatewayResponse": Call("apigateway", "PutGatewayResponse"),
    "AWS::ApiGateway::Method": Call("apigateway", "PutMethod", others={"Integration": ("PutIntegration", "")}),
    "AWS::ApiGateway::Resource": Call("apigateway", "CreateResource"),
    "AWS::ApiGateway::RestApi": Call("apigateway", "CreateRestApi", renames={"ApiKeySourceType": "apiKeySource"}),
    "AWS::ApiGateway::Stage": Call(
        "apigateway", "CreateStage", others={"AccessLogSetting": None, "MethodSettings": None}
    ),
    "AWS::ApiGateway::UsagePlan": Call("apigateway", "CreateUsagePlan", made_up=("name",)),
    "AWS::ApiGateway::UsagePlanKey": Call("apigateway", "CreateUsagePlanKey"),
    "AWS::ApiGateway::Account": Call("apigateway", "UpdateAccount", others={"CloudWatchRoleArn": None}),
    "AWS::ApplicationAutoScaling::ScalableTarget": Call(
        "application-autoscaling", "RegisterScalableTarget", others={"ScheduledActions": None}
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Call(
        "application-autoscaling", "PutScalingPolicy", others={"ScalingTargetId": None}, made_up=_TARGET
    ),
    "AWS::CloudWatch::Alarm": Call("cloudwatch", "PutMetricAlarm", made_up=("AlarmName",)),
    "AWS::CloudWatch::Dashboard": Call("cloudwatch", "PutDashboard", made_up=("DashboardName",)),
    "AWS::EC2::Instance": Call(
        "ec2",
        "RunInstances",
        renames={"GroupSet": "Groups"},
        others={"IamInstanceProfile": None, "Monitoring": None},
        made_up=("MinCount", "MaxCount"),
    ),
    "AWS::EC2::InternetGateway": Call("ec2", "CreateInternetGateway"),
    "AWS::EC2::Route": Call("ec2", "CreateRoute"),
    "AWS::EC2::RouteTable": Call("ec2", "CreateRouteTable"),
    "AWS::EC2::SecurityGroup": Call(
        "ec2",
        "CreateSecurityGroup",
        renames={"GroupDescription": "Description"},
        others={"SecurityGroupEgress": None},
        made_up=("GroupName",),
    ),
    "AWS::EC2::Subnet": Call("ec2", "CreateSubnet", others={"MapPublicIpOnLaunch": None}),
    "AWS::EC2::SubnetRouteTableAssociation": Call("ec2", "AssociateRouteTable"),
    "AWS::EC2::VPC": Call("ec2", "CreateVpc", others={"EnableDnsHostnames": None, "EnableDnsSupport": None}),
    "AWS::EC2::VPCEndpoint": Call("ec2", "CreateVpcEndpoint"),
    "AWS::EC2::VPCGatewayAttachment": Call("ec2", "AttachInternetGateway"),
    "AWS::Events::Rule": Call(
        "events", "PutRule", others={"EventPattern": None, "Targets": ("PutTargets", "Targets")}, made_up=("Name",)
    ),
    "AWS::IAM::InstanceProfile": Call(
        "iam", "CreateInstanceProfile", others={"Roles": None}, made_up=("InstanceProfileName",)
    ),
    "AWS::IAM::Policy": Call("iam", "PutRolePolicy", others={"Roles": None}, made_up=("RoleName",)),
    "AWS::IAM::Role": Call(
        "iam", "CreateRole", others={"ManagedPolicyArns": None, "Policies": None}, made_up=("RoleName",)
    ),
    "AWS::Lambda::EventSourceMapping": Call("lambda", "CreateEventSourceMapping"),
    "AWS::Lambda::Function": Call("lambda", "CreateFunction", made_up=("FunctionName",)),
    "AWS::Lambda::Permission": Call("lambda", "AddPermission", made_up=("StatementId",)),
    "AWS::Logs::LogGroup": Call(
        "logs",
        "CreateLogGroup",
        others={"RetentionInDays": ("PutRetentionPolicy", "retentionInDays")},
        made_up=("logGroupName",),
    ),
    "AWS::S3::Bucket": Call(
        "s3",
        "CreateBucket",
        renames=_BUCKET,
        made_up=("Bucket",),
        others={
            "BucketEncryption": ("PutBucketEncryption", "ServerSideEncryptionConfiguration"),
            "LifecycleConfiguration": None,
            "OwnershipControls": ("PutBucketOwnershipControls", "OwnershipControls"),
            "PublicAccessBlockConfiguration": ("PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
        },
    ),
    "AWS::S3::BucketPolicy": Call("s3", "PutBucketPolicy", renames={"PolicyDocument": "Policy"}),
    "AWS::SQS::QueuePolicy": Call(
        "sqs", "AddPermission", others={"Queues": None, "PolicyDocument": None},
        made_up=("QueueUrl", "Label", "AWSAccountIds", "Actions"),
    ),
    "AWS::SecretsManager::Secret": Call(
        "secretsmanager",
        "CreateSecret",
        others={"GenerateSecretString": ("GetRandomPassword", "")},
        made_up=("Name",),
    ),
    "AWS::SageMaker::Endpoint": Call("sagemaker", "CreateEndpoint", made_up=("EndpointName",)),
    "AWS::SageMaker::EndpointConfig": Call("sagemaker", "CreateEndpointConfig", made_up=("EndpointConfigName",)),
    "AWS::SageMaker::InferenceComponent": Call(
        "sagemaker",
        "CreateInferenceComponent",
        others={"DeploymentConfig": ("UpdateInferenceComponent", "DeploymentConfig")},
        made_up=("InferenceComponentName",),
    ),
    "AWS::SageMaker::Model": Call("sagemaker", "CreateModel", made_up=("ModelName",)),
}

#: Members of structures that no call has in this form.
STRUCTURES = {
    ("AWS::ApiGateway::Stage", "AccessLogSetting"): {"DestinationArn", "Format"},
    ("AWS::ApiGateway::Stage", "MethodSettings"): {
        "HttpMethod", "ResourcePath", "DataTraceEnabled", "LoggingLevel", "MetricsEnabled", "CachingEnabled",
        "CacheTtlInSeconds", "CacheDataEncrypted", "ThrottlingBurstLimit", "ThrottlingRateLimit",
    },
    ("AWS::ApplicationAutoScaling::ScalableTarget", "ScheduledActions"): {
        "ScheduledActionName", "Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction",
    },
    ("AWS::EC2::SecurityGroup", "SecurityGroupEgress"): {
        "CidrIp", "CidrIpv6", "Description", "FromPort", "IpProtocol", "ToPort", "DestinationPrefixListId",
        "DestinationSecurityGroupId",
    },
    ("AWS::Events::Rule", "EventPattern"): {"source", "detail-type", "detail", "resources", "account", "region"},
    ("AWS::S3::Bucket", "LifecycleConfiguration"): {"Rules", "TransitionDefaultMinimumObjectSize"},
}


def check_properties(kind, properties):
    """@raises ValueError as CloudFormation would refuse them"""
    if kind.startswith(("Custom::", "AWS::CDK::")):
        return
    errors = []
    if kind == "AWS::SQS::Queue":
        _check_queue(properties, errors)
    elif kind in CALLS:
        _check_call(kind, CALLS[kind], {k: v for k, v in properties.items() if k != "Tags"}, errors)
    else:
        errors.append("is not in test/deploy/emulator/properties.py: name the call that makes it")
    if errors:
        raise ValueError(f"{kind}: " + "; ".join(errors))


def _check_call(kind, call, properties, errors):
    shape = operation_input(call.service, call.operation)
    given = set(call.made_up)
    for name, value in properties.items():
        if name in call.others:
            _check_other(kind, call, name, value, errors)
            continue
        member = find_member(shape, call.renames.get(name, name))
        if member is None:
            errors.append(f"{name}: is unknown to {call.operation}")
        else:
            given.add(member)
            check_value(shape.members[member], value, name, errors, call.renames)
    errors.extend(f"{name}: is required" for name in shape.required_members if name not in given)


def _check_other(kind, call, name, value, errors):
    if call.others[name] is not None:
        operation, member = call.others[name]
        shape = operation_input(call.service, operation)
        if member:
            return check_value(shape.members[member], value, name, errors, call.renames)
        for inner, held in value.items():
            found = find_member(shape, inner)
            if inner == "IntegrationResponses":
                continue
            if found is None:
                errors.append(f"{name}.{inner}: is unknown to {operation}")
            else:
                check_value(shape.members[found], held, f"{name}.{inner}", errors)
        return None
    allowed = STRUCTURES.get((kind, name))
    for one in value if isinstance(value, list) else [value]:
        if allowed and isinstance(one, dict):
            errors.extend(f"{name}.{inner}: is unknown to AWS" for inner in one if inner not in allowed)
    return None


def _check_queue(properties, errors):
    """CreateQueue takes a map of attributes."""
    attributes = service_model("sqs").shape_for("QueueAttributeName").enum
    for name in properties:
        if name not in attributes and name not in ("QueueName", "Tags", "RedriveAllowPolicy"):
            errors.append(f"{name}: is no attribute of a queue")
