"""What the account still has."""

from ministack import app

import instances
import sagemaker
import scaling

#: Services that have defaults in every account, and of which this project makes nothing.
_THERE_ANYWAY = ("elasticache", "iot")
#: No resources: settings, counters, and the histories that CloudFormation and others keep of what is gone.
_HISTORIES = ("settings", "change_sets", "attachment_counts", "event", "histor", "metric", "trail", "receipts", "seq", "counter", "tokens", "activities")


def inventory():
    """Names of everything, by service and store; stores without anything are left out."""
    held = {
        "sagemaker.models": sagemaker.models, "sagemaker.configs": sagemaker.configs,
        "sagemaker.endpoints": sagemaker.endpoints, "sagemaker.components": sagemaker.components,
        "ec2.machines": instances.machines, "scaling.targets": scaling.targets, "scaling.policies": scaling.policies, "cloudwatch.math_alarms": scaling.alarms,
    }
    for service, read in app._build_persistence_save_dict().items():
        for store, value in (read() or {}).items():
            if service not in _THERE_ANYWAY and not any(word in store.lower() for word in _HISTORIES):
                held[f"{service}.{store}"] = value
    return {name: _names(value) for name, value in sorted(held.items()) if _names(value)}


def _names(value):
    items = getattr(value, "_data", value)
    if not isinstance(items, (dict, list, set, tuple)):
        return []
    if isinstance(items, dict):
        items = [name for name, held in items.items() if held not in ({}, [], None) and not _is_gone(held)]
    return sorted("/".join(map(str, one[1:])) if isinstance(one, tuple) else str(one) for one in items)


def _is_gone(held):
    return isinstance(held, dict) and held.get("StackStatus") == "DELETE_COMPLETE"
