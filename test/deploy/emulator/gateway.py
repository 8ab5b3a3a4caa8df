"""API Gateway's REST APIs, where ministack's differ from what AWS documents."""

import contextvars
import json

from ministack.services import apigateway_v1 as gateway
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from permissions import gateway_may_invoke
from settings import REGION, arn


def take_keys_from_the_authorizer():
    """`apiKeySource: AUTHORIZER`: the key is the authorizer's `usageIdentifierKey`, not a header's."""
    handed = contextvars.ContextVar("usage_identifier_key", default=None)
    source = contextvars.ContextVar("api_key_source", default="HEADER")
    authorize, call, from_header = (
        gateway._authorize_request_v1, gateway._invoke_authorizer_lambda, gateway._api_key_from_request)

    async def authorize_request(api_id, *rest):
        handed.set(None)
        source.set((gateway._rest_apis.get(api_id) or {}).get("apiKeySource", "HEADER"))
        return await authorize(api_id, *rest)

    async def call_and_keep(*args):
        result = await call(*args)
        body = (result or {}).get("body")
        try:
            body = json.loads(body) if isinstance(body, (str, bytes)) else body
        except ValueError:
            body = None
        if isinstance(body, dict):
            handed.set(body.get("usageIdentifierKey"))
        return result

    gateway._authorize_request_v1, gateway._invoke_authorizer_lambda = authorize_request, call_and_keep
    gateway._api_key_from_request = lambda headers: (
        handed.get() if source.get() == "AUTHORIZER" else from_header(headers))
    # CloudFormation's side drops the property.
    rest_api = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]
    create = rest_api["create"]

    def create_with_source(logical_id, properties, stack_name):
        api_id, attributes = create(logical_id, properties, stack_name)
        gateway._rest_apis[api_id]["apiKeySource"] = properties.get("ApiKeySourceType", "HEADER")
        return api_id, attributes

    rest_api["create"] = create_with_source


def complete_the_event():
    """The context's domain name, and which key it was."""
    checked = contextvars.ContextVar("checked_key", default=None)
    build, check = gateway._build_lambda_event_v1, gateway._check_api_key

    def check_and_keep(*args):
        error, key = check(*args)
        checked.set(key)
        return error, key

    def build_whole(api_id, stage_name, *rest, **more):
        event = build(api_id, stage_name, *rest, **more)
        context = event["requestContext"]
        context["domainName"] = f"{api_id}.execute-api.{REGION}.amazonaws.com"
        if checked.get():
            context["identity"].update(apiKeyId=checked.get()["id"], apiKey=checked.get()["value"])
        return event

    gateway._build_lambda_event_v1, gateway._check_api_key = build_whole, check_and_keep


def match_media_types():
    """The first type of `Accept` decides; with `*/*` among the binary types every body is binary."""
    match = gateway._media_type_matches

    def match_first(media_type, binary):
        if "*/*" in (binary or []):
            return True
        return match((media_type or "").split(",", 1)[0], binary)

    gateway._media_type_matches = match_first


def name_headers_once():
    """A header of a gateway response takes the place of the standard one, however it is written."""
    render = gateway._gateway_error_response

    def render_once(error, request):
        status, headers, body = render(error, request)
        last = {name.lower(): value for name, value in headers.items()}
        return status, last, body

    gateway._gateway_error_response = render_once


def refuse_malformed_answers():
    """A proxy integration's answer needs a status; the gateway says 502 of any other."""
    shape = gateway._lambda_proxy_response

    def shape_whole(result):
        body = result.get("body")
        try:
            body = json.loads(body) if isinstance(body, (str, bytes)) else body
        except ValueError:
            body = None
        if not result.get("error") and not (isinstance(body, dict) and "statusCode" in body):
            return None, "Internal server error"
        return shape(result)

    gateway._lambda_proxy_response = shape_whole


def ask_the_functions_policy():
    """API Gateway may call a function only where `AWS::Lambda::Permission` says so."""
    call, authorize = gateway._call_lambda_raw, gateway._invoke_authorizer_lambda

    async def call_if_allowed(function, event, **scope):
        context = event["requestContext"]
        path = f"{context['apiId']}/{context['stage']}/{context['httpMethod']}{context['resourcePath']}"
        record, _, _ = lambda_svc._get_func_record_for_ref_in_scope(
            function, account_id=scope["account_id"], region=scope["region"])
        if record and not gateway_may_invoke(record, arn("execute-api", path)):
            return None, "not permitted"
        return await call(function, event, **scope)

    async def authorize_if_allowed(authorizer, event, account_id, region):
        function = gateway._extract_lambda_ref_from_integration_uri(authorizer.get("authorizerUri", ""))
        record, _, _ = lambda_svc._get_func_record_for_ref_in_scope(function, account_id=account_id, region=region)
        source = arn("execute-api", f"{event['requestContext']['apiId']}/authorizers/{authorizer['id']}")
        if record and not gateway_may_invoke(record, source):
            return None
        return await authorize(authorizer, event, account_id, region)

    gateway._call_lambda_raw, gateway._invoke_authorizer_lambda = call_if_allowed, authorize_if_allowed


def serve_what_was_deployed():
    """A deployment holds the methods that there were when it was made; ministack serves what there is now."""
    deployed = {}
    deployment = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Deployment"]
    create, authorize = deployment["create"], gateway._authorize_request_v1

    def create_and_keep(logical_id, properties, stack_name):
        made = create(logical_id, properties, stack_name)
        resources = (gateway._resources.get(properties["RestApiId"]) or {}).values()
        deployed[made[0]] = {(r["path"], method) for r in resources for method in r.get("resourceMethods", {})}
        if not deployed[made[0]]:
            raise ValueError("The REST API doesn't contain any methods")
        return made

    async def authorize_deployed(api_id, stage_name, method_obj, method, path, resource, headers, body, query, params,
                                 stage, *rest):
        held = deployed.get(stage.get("deploymentId"))
        if held is not None and not held & {(resource["path"], method), (resource["path"], "ANY")}:
            return gateway._gw_error("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token"), None
        return await authorize(api_id, stage_name, method_obj, method, path, resource, headers, body, query, params,
                               stage, *rest)

    deployment["create"], gateway._authorize_request_v1 = create_and_keep, authorize_deployed
