"""SageMaker's two APIs over HTTP, and what the tour asks of the emulator itself (paths that begin with `/_`)."""

import http.server
import json
import re
import urllib.error
import urllib.request
import uuid

import instances
from inventory import inventory
from permissions import caller_may, refused
from registry import push
from sagemaker import arn_of, components, endpoints
from scaling import raise_alarm
from settings import CONTROL_PORT, log

NO_CAPACITY = (
    "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress (if configured) "
    "or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API."
)
#: ministack has no Service Quotas. An account that may have two instances of one type, and none of another.
QUOTAS = [
    {"ServiceCode": "sagemaker", "QuotaName": "ml.g4dn.xlarge for endpoint usage", "QuotaCode": "L-B67CFA0C", "Value": 2.0},
    {"ServiceCode": "sagemaker", "QuotaName": "ml.g5.xlarge for endpoint usage", "QuotaCode": "L-1928E07B", "Value": 0.0},
    {"ServiceCode": "ec2", "QuotaName": "Running On-Demand G and VT instances", "QuotaCode": "L-DB2E81BA", "Value": 8.0},
]
_PASSED = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes")


class Control(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        state = {
            name: {"status": c.status, "desired": c.desired, "copies": len(c.copies), "drawn": c.drawn, "failure": c.failure}
            for name, c in components.items()
        }
        answers = {"/_components": lambda: state, "/_refused": lambda: refused, "/_inventory": inventory,
                   "/_instances": instances.describe}
        self._reply(200, answers[self.path]())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        target = self.headers.get("x-amz-target")
        orders = {"/_alarm": lambda asked: raise_alarm(asked["name"]), "/_push": push, "/_image": instances.recommend_image,
                  "/_quota": instances.set_quota, "/_poweroff": instances.power_off, "/_log": instances.check_log}
        if self.path in orders:
            try:
                return self._reply(200, orders[self.path](json.loads(body)))
            except ValueError as error:
                return self._fail("ValidationException", str(error))
        if target:
            return self._control(target.split(".")[1], json.loads(body))
        return self._invoke(body)

    def _control(self, action, asked):
        if action in ("ListServiceQuotas", "ListAWSDefaultServiceQuotas"):
            return self._reply(200, {"Quotas": [one for one in QUOTAS if one["ServiceCode"] == asked["ServiceCode"]]})
        if action in ("GetServiceQuota", "GetAWSDefaultServiceQuota"):
            return self._quota(asked)
        component = components.get(asked.get("InferenceComponentName"))
        if component is None:
            return self._fail("ValidationException", f'Could not find inference component "{asked.get("InferenceComponentName")}".')
        if not caller_may(self.headers, f"sagemaker:{action}", component.arn):
            return self._fail("AccessDeniedException", f"not authorized to perform sagemaker:{action} on {component.arn}")
        if action == "DescribeInferenceComponent":
            return self._reply(200, _description(component))
        if action != "UpdateInferenceComponentRuntimeConfig":
            return self._fail("UnknownOperationException", action)
        try:
            component.scale(int(asked["DesiredRuntimeConfig"]["CopyCount"]))
        except ValueError as error:
            return self._fail("ValidationException", str(error))
        return self._reply(200, {"InferenceComponentArn": component.arn})

    def _quota(self, asked):
        found = [one for one in QUOTAS if all(one[name] == asked[name] for name in ("ServiceCode", "QuotaCode"))]
        if not found:
            return self._fail("NoSuchResourceException", f"there is no quota {asked['QuotaCode']}")
        return self._reply(200, {"Quota": found[0]})

    def _invoke(self, body):
        found = re.fullmatch(r"/endpoints/([^/]+)/invocations", self.path)
        component = components.get(self.headers.get("x-amzn-sagemaker-inference-component"))
        if not found or found[1] not in endpoints or component is None:
            return self._fail("ValidationError", f"Endpoint {self.path} not found.")
        if not caller_may(self.headers, "sagemaker:InvokeEndpoint", arn_of("endpoint", found[1]), component.arn):
            return self._fail("AccessDeniedException", "not authorized to perform sagemaker:InvokeEndpoint")
        headers = {name: self.headers[name] for name in _PASSED if self.headers.get(name)}
        for _ in range(3):
            copies = component.copies
            if not copies:
                return self._fail("ValidationError", NO_CAPACITY)
            try:
                request = urllib.request.Request(f"{copies[0].url}/invocations", body, headers)
                with urllib.request.urlopen(request, timeout=60) as answer:
                    component.drawn += 1
                    kept = {name: answer.headers[name] for name in _PASSED if answer.headers.get(name)}
                    return self._reply(200, answer.read(), kept)
            except urllib.error.HTTPError as error:
                return self._fail_as_model(error.code, error.read().decode())
            except OSError as error:
                # A copy that has just gone: the router sends it to another.
                log("a copy could not be reached", error=error)
        return self._fail("InternalFailure", "no copy could be reached", 500)

    def _fail_as_model(self, status, said):
        self._fail("ModelError", f"Received client error ({status}) from primary with message {said}", 424,
                   OriginalStatusCode=status, OriginalMessage=said, LogStreamArn="arn")

    def _fail(self, name, message, status=400, **more):
        self._reply(status, {"message": message, "Message": message, **more}, {"x-amzn-errortype": name})

    def _reply(self, status, body, headers={}):
        data = body if isinstance(body, bytes) else json.dumps(body, default=str).encode()
        self.send_response(status)
        standard = {"content-type": "application/x-amz-json-1.1", "x-amzn-requestid": str(uuid.uuid4())}
        for name, value in {**standard, **headers, "content-length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _description(component):
    return {
        "InferenceComponentName": component.name, "InferenceComponentArn": component.arn,
        "EndpointName": component.properties["EndpointName"], "VariantName": component.properties["VariantName"],
        "EndpointArn": arn_of("endpoint", component.properties["EndpointName"]),
        "InferenceComponentStatus": component.status, **({"FailureReason": component.failure} if component.failure else {}),
        "RuntimeConfig": {"DesiredCopyCount": component.desired, "CurrentCopyCount": len(component.copies)},
        "CreationTime": component.created, "LastModifiedTime": component.created,
    }


def make_server():
    http.server.ThreadingHTTPServer.request_queue_size = 128
    return http.server.ThreadingHTTPServer(("127.0.0.1", CONTROL_PORT), Control)
