"""Who was refused what. ministack enforces IAM with AUTH=true; what it does not look at is asked for here."""

import json
import re
import urllib.parse
from fnmatch import fnmatchcase

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services.cloudformation import provisioners

from settings import ACCOUNT, REGION, arn, log

#: Every action that was refused: printed when the tour is over, and each is a failure.
refused = []


def note(principal, action, resource, why="no policy allows it"):
    entry = {"principal": principal, "action": action, "resource": resource, "why": why}
    if entry not in refused:
        refused.append(entry)
        log("refused", **entry)


def role_may(role_arn, action, resource):
    """Whether a role's policies allow an action. What they do not is noted."""
    name = role_arn.rsplit("/", 1)[-1]
    context = iam_evaluator.EvalContext(
        principal_arn=role_arn, principal_type="AssumedRole", principal_account=ACCOUNT, action=action,
        resource_arn=resource, region=REGION, service_context={"cloudwatch:namespace": "/aws/sagemaker/Endpoints"},
    )
    allowed = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, ACCOUNT)).decision == "Allow"
    if not allowed:
        note(role_arn, action, resource)
    return allowed


def gateway_may_invoke(function, source):
    """Whether a function's own policy lets API Gateway call it for this method or authorizer."""
    for statement in function["policy"]["Statement"]:
        principal = statement.get("Principal")
        service = principal.get("Service") if isinstance(principal, dict) else principal
        sources = [v for c in statement.get("Condition", {}).values() for k, v in c.items() if k.lower() == "aws:sourcearn"]
        if service == "apigateway.amazonaws.com" and all(fnmatchcase(source, pattern) for pattern in sources):
            return True
    note("apigateway.amazonaws.com", "lambda:InvokeFunction", function["config"]["FunctionArn"], f"for {source}")
    return False


def note_refusals():
    enforce = iam_evaluator.enforce

    def enforce_and_note(access_key, action, service, region, resource_arn="*", service_context=None):
        denied = enforce(access_key, action, service, region, resource_arn=resource_arn, service_context=service_context)
        if isinstance(denied, iam_evaluator.EvalResult):
            note(denied.principal_arn, action, resource_arn, denied.decision)
        return denied

    iam_evaluator.enforce = enforce_and_note


def name_resources():
    extract = iam_actions.extract_resource_arn

    def extract_named(service, method, path, headers, body, *rest):
        if service == "cloudformation" and b"Action=SignalResource" in (body or b""):
            name = urllib.parse.parse_qs(body.decode())["StackName"][0]
            return provisioners._cr_stack_id(name)
        if service == "ecr" and b"repositoryNames" in (body or b""):
            return arn("ecr", f"repository/{json.loads(body)['repositoryNames'][0]}")
        return extract(service, method, path, headers, body, *rest)

    iam_actions.extract_resource_arn = extract_named


def name_policies():
    tags = iam_actions.request_tag_context

    def tags_and_policy(service, action, body, *rest):
        context = tags(service, action, body, *rest)
        if action != "iam:AttachRolePolicy":
            return context
        return {**context, "iam:PolicyARN": urllib.parse.parse_qs((body or b"").decode())["PolicyArn"][0]}

    iam_actions.request_tag_context = tags_and_policy


def count_loopback_as_tls():
    pin = app.pin_request_origin
    app.pin_request_origin = lambda address, secure: pin(address, True)


def caller_may(headers, action, *resources):
    """Whether the role behind a request's access key may do this to each resource."""
    found = re.search(r"Credential=([^/]+)/", headers.get("authorization", ""))
    caller = iam_evaluator.resolve_principal(found[1] if found else "", ACCOUNT)
    if not isinstance(caller, iam_evaluator.PrincipalInfo):
        note("unknown", action, resources[0], "no valid credentials")
        return False
    if caller.policies is None:
        return True
    for resource in resources:
        context = iam_evaluator.EvalContext(principal_arn=caller.arn, principal_type=caller.type, action=action,
                                            principal_account=caller.account, resource_arn=resource, region=REGION)
        if iam_evaluator.evaluate(context, caller.policies).decision != "Allow":
            note(caller.arn, action, resource)
            return False
    return True
