"""kubectl, helm and aws as the CDK's handlers call them, over an inventory.

An object needs its namespace, and a binding of the load balancer controller the
controller: what is deployed in the wrong order fails here too.
"""

import fcntl
import json
import os
import sys
import urllib.request

name, *args = sys.argv[1:]
options = {a: b for a, b in zip(args, args[1:]) if a.startswith("-")}


def fail(text):
    sys.exit(f"{name}: {text}")


def aws():
    if args[:2] != ["eks", "update-kubeconfig"]:
        fail(f"only eks update-kubeconfig is known here, got {args}")
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/clusters/" + options["--name"])
    # The emulator tells the account and the region by the key.
    scope = f"{os.environ['AWS_ACCESS_KEY_ID']}/20260101/{os.environ['AWS_REGION']}/eks/aws4_request"
    request.add_header("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
    urllib.request.urlopen(request).read()  # an unknown cluster is an error
    with open(options["--kubeconfig"], "w") as file:
        file.write(options["--name"])


def kubectl(cluster, inventory):
    decoder, text, objects = json.JSONDecoder(), open(options["-f"]).read(), []
    while text.strip():
        item, end = decoder.raw_decode(text.strip())
        objects.append(item)
        text = text.strip()[end:]
    for item in objects:
        kind, meta = item["kind"], item["metadata"]
        space = meta.get("namespace", "")
        key = f"{cluster} {kind} {space + '/' if space else ''}{meta['name']}"
        if args[0] == "delete":
            if key not in inventory:
                fail(f"{key} not found")
            inventory.remove(key)
            if kind == "Namespace":
                inventory[:] = [k for k in inventory if not k.startswith(f"{cluster} ") or f" {meta['name']}/" not in k]
            continue
        if space and space not in ("default", "kube-system") and f"{cluster} Namespace {space}" not in inventory:
            fail(f"namespace {space} not found")
        if item["apiVersion"].startswith("elbv2.k8s.aws/") and not any(
                k.startswith(f"{cluster} Release ") and "load-balancer-controller" in k for k in inventory):
            fail(f"no matches for kind {kind} in version {item['apiVersion']}")
        if key in inventory and args[0] == "create":
            fail(f"{key} already exists")
        if key not in inventory:
            inventory.append(key)


def helm(cluster, inventory):
    key = f"{cluster} Release {options.get('--namespace', 'default')}/{args[1]}"
    # What a controller that is gone leaves can no longer be removed.
    stuck = [k for k in inventory if k.startswith(f"{cluster} TargetGroupBinding ")]
    if args[0] == "uninstall":
        if stuck and "load-balancer-controller" in key:
            fail(f"the finalizers of {stuck} wait for {key}")
        if key not in inventory:
            fail(f"release {key} not found")
        inventory.remove(key)
    elif args[0] == "upgrade" and key not in inventory:
        inventory.append(key)


if name == "aws":
    aws()
else:
    with open(os.environ["CLUSTER_INVENTORY"], "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        inventory = json.loads(file.read() or "[]")
        cluster = open(options["--kubeconfig"]).read()
        {"kubectl": kubectl, "helm": helm}[name](cluster, inventory)
        file.truncate(0)
        file.write(json.dumps(inventory))
