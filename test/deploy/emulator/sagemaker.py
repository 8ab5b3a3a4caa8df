"""SageMaker's models, endpoints and inference components, in front of the container's own server."""

import re
import threading
import time

from api_model import check_call
from containers import Copy
from permissions import role_may
from provisioning import made_up, register
from settings import WAKE_SECONDS, arn, log

models, configs, endpoints, components = {}, {}, {}, {}


def arn_of(kind, name):
    # SageMaker writes names in small letters in ARNs.
    return arn("sagemaker", f"{kind}/{name.lower()}")


class Component:
    """An inference component: copies of a container that come and go."""

    def __init__(self, name, properties):
        self.name, self.properties, self.arn = name, properties, arn_of("inference-component", name)
        self.desired = int(properties["RuntimeConfig"]["CopyCount"])
        self.copies, self.status, self.failure, self.created = [], "Creating", None, time.time()
        self.drawn = 0

    def start_copy(self, properties=None):
        copy = Copy(model_of(properties or self.properties))
        copy.wait_until_healthy()
        return copy

    def scale(self, count):
        """UpdateInferenceComponentRuntimeConfig: returns at once."""
        if self.status != "InService":
            raise ValueError(f"Cannot update inference component {self.name} in status {self.status}")
        self.desired, self.status = count, "Updating"
        threading.Thread(target=self._scale, args=(count,), daemon=True).start()

    def replace(self, properties):
        """UpdateInferenceComponent with another specification: the new copies answer before the old ones go."""
        self.status = "Updating"
        try:
            fresh = [self.start_copy(properties) for _ in self.copies]
        finally:
            self.status = "InService"
        stale, self.copies, self.properties = self.copies, fresh, properties
        for copy in stale:
            copy.stop()

    def _scale(self, count):
        try:
            # What goes takes no more requests at once.
            stale, self.copies = self.copies[count:], self.copies[:count]
            for copy in stale:
                copy.stop()
            if len(self.copies) < count:
                time.sleep(WAKE_SECONDS)
            while len(self.copies) < count:
                self.copies = [*self.copies, self.start_copy()]
            self.status = "InService"
        except ValueError as error:
            self.status, self.failure = "Failed", str(error)
            log("scaling failed", component=self.name, error=error)


def model_of(properties):
    name = specification(properties)["ModelName"]
    if name not in models:
        raise ValueError(f'Could not find model "{name}".')
    return models[name]


def specification(properties):
    """The one that counts for the instance that is up: with pools the first."""
    return properties["Specification"] if "Specification" in properties else properties["Specifications"][0]


def _name_of(registry, physical_id, kind):
    return next((name for name in registry if arn_of(kind, name) == physical_id), None)


def create_model(logical_id, properties, stack_name):
    name = properties.get("ModelName") or made_up(stack_name, logical_id)
    models[name] = properties
    return arn_of("model", name), {"ModelName": name, "ModelArn": arn_of("model", name)}


def create_config(logical_id, properties, stack_name):
    name = properties.get("EndpointConfigName") or made_up(stack_name, logical_id)
    for variant in properties["ProductionVariants"]:
        if "ModelName" not in variant and "ExecutionRoleArn" not in properties:
            raise ValueError("ExecutionRoleArn is required where a variant has no model")
        if ("InstanceType" in variant) == ("InstancePools" in variant):
            raise ValueError("A variant has either InstanceType or InstancePools")
    configs[name] = properties
    return arn_of("endpoint-config", name), {"EndpointConfigName": name, "EndpointConfigArn": arn_of("endpoint-config", name)}


def create_endpoint(logical_id, properties, stack_name):
    name = properties.get("EndpointName") or made_up(stack_name, logical_id)
    _config_of(properties)
    endpoints[name] = properties
    return arn_of("endpoint", name), {"EndpointName": name, "EndpointArn": arn_of("endpoint", name)}


def update_endpoint(physical_id, old, new, stack_name, logical_id=None):
    name = _name_of(endpoints, physical_id, "endpoint")
    _config_of(new)
    check_call("sagemaker", "UpdateEndpoint", {"EndpointName": name, "EndpointConfigName": new["EndpointConfigName"]})
    endpoints[name] = new
    return physical_id, {"EndpointName": name, "EndpointArn": physical_id}


def delete_endpoint(physical_id, properties):
    name = _name_of(endpoints, physical_id, "endpoint")
    if any(component.properties["EndpointName"] == name for component in components.values()):
        raise ValueError(f"Cannot delete endpoint {name}: it has inference components.")
    endpoints.pop(name, None)


def _config_of(properties):
    name = properties["EndpointConfigName"]
    if name not in configs:
        raise ValueError(f'Could not find endpoint configuration "{name}".')
    return configs[name]


def create_component(logical_id, properties, stack_name):
    name = properties.get("InferenceComponentName") or made_up(stack_name, logical_id)
    if name in components:
        raise ValueError(f"Cannot create already existing inference component {name}")
    endpoint = endpoints.get(properties["EndpointName"])
    if endpoint is None:
        raise ValueError(f'Could not find endpoint "{properties["EndpointName"]}".')
    variants = [variant["VariantName"] for variant in _config_of(endpoint)["ProductionVariants"]]
    if properties.get("VariantName") not in variants:
        raise ValueError(f'Variant {properties.get("VariantName")} is none of {variants}')
    if ("Specification" in properties) == ("Specifications" in properties):
        raise ValueError("Specify exactly one of Specification and Specifications")
    _check_host(properties)
    component = components[name] = Component(name, properties)
    try:
        while len(component.copies) < component.desired:
            component.copies = [*component.copies, component.start_copy()]
    except ValueError:
        del components[name]
        raise
    component.status = "InService"
    return component.arn, _attributes(component)


def update_component(physical_id, old, new, stack_name, logical_id=None):
    component = components[_name_of(components, physical_id, "inference-component")]
    changes = {k: v for k, v in new.items() if k in ("InferenceComponentName", "Specification", "Specifications", "DeploymentConfig")}
    check_call("sagemaker", "UpdateInferenceComponent", changes)
    if specification(new) != specification(component.properties):
        _check_host(new)
        component.replace(new)
    component.properties = new
    return physical_id, _attributes(component)


def delete_component(physical_id, properties):
    component = components.pop(_name_of(components, physical_id, "inference-component"), None)
    for copy in component.copies if component else []:
        copy.stop()


def _attributes(component):
    return {"InferenceComponentArn": component.arn, "InferenceComponentName": component.name,
            "InferenceComponentStatus": component.status}


def _check_host(properties):
    """What SageMaker does before a container starts: it finds a GPU, and pulls the image as the model's role."""
    if not specification(properties)["ComputeResourceRequirements"].get("NumberOfAcceleratorDevicesRequired"):
        raise ValueError("The container did not pass the ping health check: it was given no GPU, and the image wants one")
    model = model_of(properties)
    role, image = model["ExecutionRoleArn"], model["PrimaryContainer"]["Image"]
    repository = arn("ecr", f"repository/{re.sub(r'^[^/]*/|:.*$', '', image)}")
    for action, resource in (("ecr:GetAuthorizationToken", "*"), ("ecr:BatchGetImage", repository),
                             ("ecr:GetDownloadUrlForLayer", repository)):
        if not role_may(role, action, resource):
            raise ValueError(f"{role} may not {action}: the image cannot be pulled")
    name = properties.get("InferenceComponentName")
    # Without these the container runs: its log and its metrics are missing.
    role_may(role, "logs:PutLogEvents", arn("logs", f"log-group:/aws/sagemaker/InferenceComponents/{name}:log-stream:x"))
    role_may(role, "cloudwatch:PutMetricData", "*")


def _delete_from(registry, kind):
    return lambda physical_id, properties: registry.pop(_name_of(registry, physical_id, kind), None)


def install():
    register("AWS::SageMaker::Model", create_model, _delete_from(models, "model"), replacing=(
        "Containers", "EnableNetworkIsolation", "ExecutionRoleArn", "InferenceExecutionConfig", "ModelName",
        "PrimaryContainer", "VpcConfig"))
    register("AWS::SageMaker::EndpointConfig", create_config, _delete_from(configs, "endpoint-config"), replacing=(
        "EndpointConfigName", "ExecutionRoleArn", "ProductionVariants", "VpcConfig", "AsyncInferenceConfig",
        "DataCaptureConfig", "KmsKeyId", "ShadowProductionVariants"))
    register("AWS::SageMaker::Endpoint", create_endpoint, delete_endpoint, update_endpoint, replacing=("EndpointName",))
    register("AWS::SageMaker::InferenceComponent", create_component, delete_component, update_component)
