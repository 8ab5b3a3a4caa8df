"""What an instance's scripts call, and this machine has not: `commands.py NAME ARGUMENT...`. AWS is called for real, with
the role of the instance; a container is the process of its server.
"""

import base64
import json
import os
import shlex
import shutil
import sys
import urllib.request

import botocore.exceptions
import botocore.session

MACHINE = os.environ["MACHINE"]
PULLED = os.path.join(MACHINE, "pulled.json")
#: Options of `docker run` without a value.
FLAGS = ("--rm",)


def client(service):
    return botocore.session.Session().create_client(service)


def options(words):
    """`--name value` pairs, and the words that are neither."""
    named, rest = {}, []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in FLAGS:
            continue
        if word.startswith("--") and not rest:
            named.setdefault(word[2:], []).append(words.pop(0))
        else:
            rest.append(word)
    return named, rest


def control(path, said):
    """Tells the emulator itself. Fails where it refuses."""
    body = json.dumps({**said, "id": os.environ["INSTANCE"]}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{os.environ['CONTROL']}/{path}", body))


def signal(stack, resource, unique_id, status):
    client("cloudformation").signal_resource(
        StackName=stack, LogicalResourceId=resource, UniqueId=unique_id, Status=status)


def cfn_signal(*words):
    given = {name: values[0] for name, values in options(words)[0].items()}
    signal(given["stack"], given["resource"], given["id"], "SUCCESS" if given["success"] == "true" else "FAILURE")


def aws(service, action, *words):
    if (service, action) == ("cloudformation", "signal-resource"):
        given = {name: values[0] for name, values in options(words)[0].items()}
        return signal(given["stack-name"], given["logical-resource-id"], given["unique-id"], given["status"])
    if (service, action) != ("ecr", "get-login-password"):
        raise SystemExit(f"aws: no {service} {action} here")
    token = client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    print(base64.b64decode(token).decode().split(":", 1)[1])


def docker(command, *words):
    if command == "info":
        print('{"nvidia":{}}')
    elif command == "pull":
        pull(words[-1])
    elif command == "image":
        print(pulled()[words[-1]])
    elif command == "run":
        run(words)


def pull(image):
    name, tag = image.rsplit(":", 1)
    answer = client("ecr").batch_get_image(repositoryName=name.split("/", 1)[1], imageIds=[{"imageTag": tag}])
    if not answer["images"]:
        raise SystemExit(f"manifest for {image} not found: {answer['failures']}")
    with open(PULLED, "w") as file:
        json.dump({image: f"{name}@{answer['images'][0]['imageId']['imageDigest']}"}, file)


def pulled():
    with open(PULLED) as file:
        return json.load(file)


def run(words):
    named, (image, mode) = options(words)
    if image not in pulled().values():
        raise SystemExit(f"{image} was never pulled")
    environment = {}
    with open(named["env-file"][0]) as file:
        environment.update(line.split("=", 1) for line in file.read().splitlines())
    environment.update(pair.split("=", 1) for pair in named["env"])
    # Empty at each start: a memory file system.
    space, model = named["tmpfs"][0].split(":")[0], os.path.join(MACHINE, "model")
    shutil.rmtree(model, ignore_errors=True)
    environment = {name: model if value == space else value for name, value in environment.items()}
    if named.get("log-driver") == ["awslogs"]:
        keep_log(dict(option.split("=", 1) for option in named["log-opt"]))
    # The image says cuda, and there is no GPU here.
    command = shlex.split(os.environ["CONTAINER"])
    os.execve(command[0], [*command, mode], {**os.environ, **environment, "PROVIDER": "cpu"})


def keep_log(log):
    """Docker's driver makes a stream, and fails where it may not; what is said comes to a file."""
    control("_log", {"group": log["awslogs-group"]})
    file = os.open(os.path.join(MACHINE, "worker.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)


def systemctl(command, *words):
    if command == "cat":
        raise SystemExit(1)
    if command == "poweroff":
        control("_poweroff", {})


def nvidia_smi(*_):
    print("580.95.05")


def nothing(*_):
    pass


def unexpected(*words):
    raise SystemExit(f"nothing to be installed here: {words}")


KNOWN = {
    "aws": aws, "cfn-signal": cfn_signal, "docker": docker, "nvidia-smi": nvidia_smi, "systemctl": systemctl,
    "systemd-run": nothing,
}

try:
    KNOWN.get(sys.argv[1], unexpected)(*sys.argv[2:])
except botocore.exceptions.ClientError as error:
    raise SystemExit(f"{sys.argv[1]}: {error}")
