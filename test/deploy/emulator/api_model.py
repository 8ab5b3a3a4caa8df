"""AWS's own description of its APIs, as botocore has it: what a call may say."""

import re

import botocore.loaders
import botocore.model

_loader = botocore.loaders.Loader()
_models = {}
#: Members that are JSON in a text; templates have them as objects.
_DOCUMENTS = re.compile(r"Policy$|PolicyDocument$|DashboardBody$")


def service_model(service):
    if service not in _models:
        _models[service] = botocore.model.ServiceModel(_loader.load_service_model(service, "service-2"))
    return _models[service]


def operation_input(service, operation):
    return service_model(service).operation_model(operation).input_shape


def find_member(shape, name):
    """The member of a structure, whose first letter is small in some APIs and never in a template."""
    for wanted in (name, name[:1].lower() + name[1:], name[:1].upper() + name[1:]):
        if wanted in shape.members:
            return wanted
    return None


def check_call(service, operation, params):
    """@raises ValueError that names every member which AWS would refuse, and why"""
    errors = []
    check_value(operation_input(service, operation), params, "", errors)
    if errors:
        raise ValueError(f"{operation}: " + "; ".join(errors))


def check_value(shape, value, path, errors, renames={}):
    """Names, required members, types, lengths, ranges, patterns and enums. Appends to `errors`."""
    kind = shape.type_name
    if kind == "structure":
        _check_structure(shape, value, path, errors, renames)
    elif kind == "list":
        if not isinstance(value, list):
            return errors.append(f"{path}: is no list")
        _check_limits(shape, len(value), path, errors)
        for index, inner in enumerate(value):
            check_value(shape.member, inner, f"{path}[{index}]", errors, renames)
    elif kind == "map":
        if not isinstance(value, dict):
            return errors.append(f"{path}: is no map")
        for key, inner in value.items():
            check_value(shape.key, key, f"{path}.{key}", errors, renames)
            check_value(shape.value, inner, f"{path}.{key}", errors, renames)
    elif kind == "string":
        _check_text(shape, value, path, errors)
    elif kind in ("integer", "long", "float", "double"):
        _check_number(shape, value, path, errors)
    elif kind == "boolean" and value not in (True, False, "true", "false"):
        errors.append(f"{path}: {value!r} is no boolean")


def _check_structure(shape, value, path, errors, renames):
    if not isinstance(value, dict):
        return errors.append(f"{path}: is no structure")
    known = {}
    for name, inner in value.items():
        member = find_member(shape, renames.get(name, name))
        if member is None:
            errors.append(f"{path}.{name}: is unknown to AWS, which knows {', '.join(shape.members)}")
        else:
            known[member] = True
            check_value(shape.members[member], inner, f"{path}.{name}", errors, renames)
    for name in shape.required_members:
        if name not in known:
            errors.append(f"{path}.{name}: is required")


def _check_text(shape, value, path, errors):
    if isinstance(value, (dict, list)):
        if not _DOCUMENTS.search(path):
            errors.append(f"{path}: is no text")
        return
    text = str(value).lower() if isinstance(value, bool) else str(value)
    _check_limits(shape, len(text), path, errors)
    pattern = shape.metadata.get("pattern")
    try:
        if pattern and not re.search(f"^(?:{pattern})$", text, re.DOTALL):
            errors.append(f"{path}: {text!r} does not match {pattern}")
    except re.error:
        pass  # Java's own syntax, which Python does not read.
    if shape.enum and text not in shape.enum:
        errors.append(f"{path}: {text!r} is none of {', '.join(shape.enum)}")


def _check_number(shape, value, path, errors):
    try:
        number = float(value)
    except (TypeError, ValueError):
        return errors.append(f"{path}: {value!r} is no number")
    _check_limits(shape, number, path, errors)


def _check_limits(shape, size, path, errors):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        errors.append(f"{path}: {size} is less than {low}")
    if high is not None and size > high:
        errors.append(f"{path}: {size} is more than {high}")
