"""MiniStack, taught the resource types that the deployments need.

A type that MiniStack serves an API for is created and deleted through that API.
Any other type is only recorded: it gets a name, and counts as left behind until
it is deleted. GET /_inventory lists what exists, and what was only recorded.
"""

import json
import os
import pathlib
import sys
import tempfile
import uuid

# The emulator reads its environment when it is imported.
WORK = pathlib.Path(tempfile.mkdtemp(prefix="emulator-"))
CLUSTERS = WORK / "clusters.json"
os.environ["CLUSTER_INVENTORY"] = str(CLUSTERS)
os.environ["TMPDIR"] = str(WORK)
tempfile.tempdir = str(WORK)
for program in ("kubectl", "helm", "aws"):
    (WORK / program).write_text(
        f'#!/bin/sh\nexec {sys.executable} -S {pathlib.Path(__file__).with_name("cluster.py")} {program} "$@"\n')
    (WORK / program).chmod(0o755)
os.environ["PATH"] = f"{WORK}:{os.environ['PATH']}"
# Lambda's Node.js runtime has the SDK; a machine has not.
os.environ["NODE_PATH"] = os.environ.get("SDK", "")

from ministack import app as server
from ministack.core import lambda_runtime, responses
from ministack.services import alb, ec2, ecr, ecs, eks, iam, s3, ssm
from ministack.services.cloudformation import changesets, provisioners, stacks

HANDLERS = provisioners._RESOURCE_HANDLERS
SCOPED = (responses.AccountScopedDict, responses.AccountRegionScopedDict)


def must(response):
    """Return the body of an answer, or fail the resource with its text."""
    status, _, body = response
    text = body.decode() if isinstance(body, bytes) else body
    if status >= 400:
        raise ValueError(text)
    return text


def arn(service, resource, region=None):
    region = responses.get_region() if region is None else region
    return f"arn:aws:{service}:{region}:{responses.get_account_id()}:{resource}"


def lower(value):
    """Spell properties as the JSON APIs do: roleArn for RoleArn."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: lower(item) for key, item in value.items()}
    return [lower(item) for item in value] if isinstance(value, list) else value


def tags(props):
    return {tag["Key"]: tag["Value"] for tag in props.get("Tags") or []}


def handle(type, create, delete, update=None):
    """Teach a type. Without update a change replaces: create, then delete."""

    def replace(physical_id, old, new, stack_name, logical_id=None):
        created = create(logical_id or physical_id, new, stack_name)
        if created[0] != physical_id:
            delete(physical_id, old)
        return created

    HANDLERS[type] = {
        "create": create,
        "update": update or replace,
        "update_with_logical_id": True,
        "delete": delete,
    }


# Recorded types.

RECORDED = {}  # physical id -> type
MENTIONED = set()  # every type that was ever recorded


class Attributes(dict):
    """Attributes of a recorded resource: whatever is asked for is answered."""

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return self.get(name)

    def get(self, name, default=None):
        for kind, path in (("TargetGroup", "targetgroup/recorded"), ("LoadBalancer", "loadbalancer/app/recorded")):
            if name.endswith(("Arn", "Arns")) and kind in name:
                return arn("elasticloadbalancing", f"{path}/{uuid.uuid5(uuid.NAMESPACE_URL, self.id).hex[:16]}")
        if name == "ServiceArn":
            return arn(self.id.split(":")[2], f"service/recorded/{self.id.rsplit('/', 1)[-1]}")
        if name.endswith("Arn"):
            return f"arn:aws:recorded:::{self.id}"
        if "Endpoint" in name or "Url" in name or "Domain" in name:
            return f"{self.id.rsplit('/', 1)[-1]}.recorded.invalid".lower()  # a name that nobody has
        return f"{self.id}-{name}"

    def __init__(self, id):
        super().__init__()
        self.id = id

    def __bool__(self):
        return True

    def __deepcopy__(self, memo):
        return Attributes(self.id)


def recorder(type):
    MENTIONED.add(type)
    service, name = type.split("::")[1:3]

    def create(logical_id, props, stack_name):
        id = arn(service.lower(), f"{name.lower()}/{stack_name}-{logical_id}-{uuid.uuid4().hex[:8]}")
        RECORDED[id] = type
        return id, Attributes(id)

    def update(physical_id, old, new, stack_name, logical_id=None):
        return physical_id, Attributes(physical_id)

    def delete(physical_id, props):
        RECORDED.pop(physical_id, None)

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


class Table(dict):
    """The table of handlers, in which every AWS type has one."""

    def __contains__(self, type):
        return super().__contains__(type) or str(type).startswith("AWS::")

    def get(self, type, default=None):
        if not super().__contains__(type) and str(type).startswith("AWS::"):
            self[type] = recorder(type)
        return super().get(type, default)

    def __getitem__(self, type):
        self.get(type)
        return super().__getitem__(type)


# EC2

def rules(store):
    """A rule of a security group that is a resource of its own."""

    def match(props):
        return provisioners._ec2_sg_permissions([props])

    def create(logical_id, props, stack_name):
        group = ec2._security_groups.get(props["GroupId"])
        if group is None:
            raise ValueError(f"The security group '{props['GroupId']}' does not exist")
        for rule in match(props):
            if any(ec2._rules_match(rule, old) for old in group[store]):
                raise ValueError("the specified rule already exists")
            group[store].append(rule)
        return f"sgr-{uuid.uuid4().hex[:17]}", {}

    def delete(physical_id, props):
        group = ec2._security_groups.get(props["GroupId"])
        if group is None:
            raise ValueError(f"The security group '{props['GroupId']}' does not exist")
        gone = match(props)
        group[store] = [rule for rule in group[store] if not any(ec2._rules_match(rule, g) for g in gone)]

    return create, delete


handle("AWS::EC2::SecurityGroupIngress", *rules("IpPermissions"))
handle("AWS::EC2::SecurityGroupEgress", *rules("IpPermissionsEgress"))

delete_group = HANDLERS["AWS::EC2::SecurityGroup"]["delete"]


def sg_delete(physical_id, props):
    for id, group in ec2._security_groups.items():
        if id != physical_id and physical_id in json.dumps([group["IpPermissions"], group["IpPermissionsEgress"]]):
            raise ValueError(f"resource {physical_id} has a dependent object: {id} (DependencyViolation)")
    delete_group(physical_id, props)


HANDLERS["AWS::EC2::SecurityGroup"]["delete"] = sg_delete


def eip_create(logical_id, props, stack_name):
    must(ec2._allocate_address({"Domain": [props.get("Domain", "vpc")]}))
    id, address = list(ec2._addresses.items())[-1]
    provisioners._ec2_apply_tags(id, props)
    return address["PublicIp"], {"AllocationId": id, "PublicIp": address["PublicIp"]}


def eip_delete(physical_id, props):
    for id, address in list(ec2._addresses.items()):
        if address["PublicIp"] == physical_id:
            if any(nat["AllocationId"] == id and nat["State"] != "deleted" for nat in ec2._nat_gateways.values()):
                raise ValueError(f"address {id} is in use (InvalidIPAddress.InUse)")
            must(ec2._release_address({"AllocationId": [id]}))


handle("AWS::EC2::EIP", eip_create, eip_delete)


def nat_create(logical_id, props, stack_name):
    if props["SubnetId"] not in ec2._subnets:
        raise ValueError(f"The subnet ID '{props['SubnetId']}' does not exist")
    must(ec2._create_nat_gateway({k: [props[k]] for k in ("SubnetId", "AllocationId") if k in props}))
    id = list(ec2._nat_gateways)[-1]
    provisioners._ec2_apply_tags(id, props)
    return id, {"NatGatewayId": id}


def nat_delete(physical_id, props):
    must(ec2._delete_nat_gateway({"NatGatewayId": [physical_id]}))


handle("AWS::EC2::NatGateway", nat_create, nat_delete)

detach = HANDLERS["AWS::EC2::VPCGatewayAttachment"]["delete"]


def attachment_delete(physical_id, props):
    if any(n["VpcId"] == props["VpcId"] and n["State"] != "deleted" for n in ec2._nat_gateways.values()):
        raise ValueError(f"network {props['VpcId']} has some mapped public address(es) (DependencyViolation)")
    detach(physical_id, props)


HANDLERS["AWS::EC2::VPCGatewayAttachment"]["delete"] = attachment_delete


def flow_create(logical_id, props, stack_name):
    must(ec2._create_flow_logs({
        "ResourceId.1": [props["ResourceId"]], "ResourceType": [props["ResourceType"]],
        "TrafficType": [props.get("TrafficType", "ALL")],
        "LogGroupName": [props.get("LogGroupName", "")]}))
    return list(ec2._flow_logs)[-1], {}


def flow_delete(physical_id, props):
    ec2._flow_logs.pop(physical_id, None)


handle("AWS::EC2::FlowLog", flow_create, flow_delete)


# ECS

def provider_create(logical_id, props, stack_name):
    name = props.get("Name") or f"{stack_name}-{logical_id}-{uuid.uuid4().hex[:8]}"
    must(ecs._create_capacity_provider({**lower(props), "name": name, "tags": lower(props.get("Tags") or [])}))
    return name, {"Arn": arn("ecs", f"capacity-provider/{name}")}


def provider_update(physical_id, old, new, stack_name, logical_id=None):
    must(ecs._update_capacity_provider({**lower(new), "name": physical_id}))
    return physical_id, {"Arn": arn("ecs", f"capacity-provider/{physical_id}")}


def provider_delete(physical_id, props):
    for name, cluster in ecs._clusters.items():
        if physical_id in (cluster.get("capacityProviders") or []):
            raise ValueError(f"The capacity provider {physical_id} is in use by cluster {name}")
    must(ecs._delete_capacity_provider({"capacityProvider": physical_id}))


handle("AWS::ECS::CapacityProvider", provider_create, provider_delete, provider_update)


def association_create(logical_id, props, stack_name):
    for name in props["CapacityProviders"]:
        if name not in ("FARGATE", "FARGATE_SPOT") and name not in ecs._capacity_providers:
            raise ValueError(f"The specified capacity provider '{name}' was not found")
    must(ecs._put_cluster_capacity_providers({
        "cluster": props["Cluster"], "capacityProviders": props["CapacityProviders"],
        "defaultCapacityProviderStrategy": lower(props.get("DefaultCapacityProviderStrategy") or [])}))
    return props["Cluster"], {}


def association_delete(physical_id, props):
    for service in ecs._services.values():
        if service["clusterArn"].endswith("/" + physical_id) and service["status"] == "ACTIVE":
            raise ValueError(f"cluster {physical_id}: its capacity providers are in use by {service['serviceName']}")
    must(ecs._put_cluster_capacity_providers({
        "cluster": physical_id, "capacityProviders": [], "defaultCapacityProviderStrategy": []}))


task_create = provisioners._ecs_task_def_create


def platform_create(logical_id, props, stack_name):
    arn, attributes = task_create(logical_id, props, stack_name)
    ecs._task_defs[arn.rsplit("/", 1)[-1]]["runtimePlatform"] = lower(props.get("RuntimePlatform"))
    return arn, attributes


# An update registers the next revision through the module's function.
provisioners._ecs_task_def_create = platform_create
HANDLERS["AWS::ECS::TaskDefinition"]["create"] = platform_create

handle("AWS::ECS::ClusterCapacityProviderAssociations", association_create, association_delete)


service_delete = HANDLERS["AWS::ECS::Service"]["delete"]


def untagged_delete(physical_id, props):
    service_delete(physical_id, props)
    ecs._tags.pop(physical_id, None)  # or the Tagging API goes on naming it


HANDLERS["AWS::ECS::Service"]["delete"] = untagged_delete


# EKS

create_cluster = HANDLERS["AWS::EKS::Cluster"]["create"]
delete_cluster = HANDLERS["AWS::EKS::Cluster"]["delete"]


def cluster_create(logical_id, props, stack_name):
    name, attributes = create_cluster(logical_id, props, stack_name)
    subnet = ec2._subnets[props["ResourcesVpcConfig"]["SubnetIds"][0]]
    # EKS makes this group, and takes it along with the cluster.
    group, _ = provisioners._ec2_sg_create(f"eks-cluster-sg-{name}", {"VpcId": subnet["VpcId"]}, stack_name)
    eks._clusters[name]["resourcesVpcConfig"]["clusterSecurityGroupId"] = group
    return name, {**attributes, "ClusterSecurityGroupId": group}


def cluster_delete(physical_id, props):
    cluster = eks._clusters.get(physical_id)
    children = [key for store in (eks._nodegroups, eks._addons) for key in store if key.startswith(physical_id + "/")]
    children += [id for id, type in RECORDED.items() if type == "AWS::EKS::FargateProfile" and physical_id in id]
    if [key for key in children if key in eks._nodegroups]:
        raise ValueError(f"Cluster has nodegroups attached: {children}")
    delete_cluster(physical_id, props)
    if cluster:
        sg_delete(cluster["resourcesVpcConfig"]["clusterSecurityGroupId"], {})


HANDLERS["AWS::EKS::Cluster"].update(create=cluster_create, delete=cluster_delete)


def addon_create(logical_id, props, stack_name):
    body = {**lower({k: v for k, v in props.items() if k != "Tags"}), "tags": tags(props)}
    answer = json.loads(must(eks._create_addon(props["ClusterName"], body)))
    return f"{props['ClusterName']}|{props['AddonName']}", {"Arn": answer["addon"]["addonArn"]}


def addon_update(physical_id, old, new, stack_name, logical_id=None):
    body = lower({k: v for k, v in new.items() if k != "Tags"})
    must(eks._update_addon(new["ClusterName"], new["AddonName"], body))
    return physical_id, {"Arn": eks._addons[f"{new['ClusterName']}/{new['AddonName']}"]["addonArn"]}


def addon_delete(physical_id, props):
    must(eks._delete_addon(*physical_id.split("|")))


handle("AWS::EKS::Addon", addon_create, addon_delete, addon_update)


def entry_create(logical_id, props, stack_name):
    body = {**lower({k: v for k, v in props.items() if k not in ("Tags", "AccessPolicies")}), "tags": tags(props)}
    answer = json.loads(must(eks._create_access_entry(props["ClusterName"], body)))
    for policy in props.get("AccessPolicies") or []:
        must(eks._associate_access_policy(props["ClusterName"], props["PrincipalArn"], lower(policy)))
    return f"{props['PrincipalArn']}|{props['ClusterName']}", {"AccessEntryArn": answer["accessEntry"]["accessEntryArn"]}


def entry_update(physical_id, old, new, stack_name, logical_id=None):
    if any(old[k] != new[k] for k in ("PrincipalArn", "ClusterName")):
        created = entry_create(logical_id, new, stack_name)
        entry_delete(physical_id, old)
        return created
    entry_delete(physical_id, old)
    return entry_create(logical_id, new, stack_name)


def entry_delete(physical_id, props):
    must(eks._delete_access_entry(props["ClusterName"], props["PrincipalArn"]))


handle("AWS::EKS::AccessEntry", entry_create, entry_delete, entry_update)


def pod_create(logical_id, props, stack_name):
    body = {**lower({k: v for k, v in props.items() if k != "Tags"}), "tags": tags(props)}
    found = json.loads(must(eks._create_pod_identity_association(props["ClusterName"], body)))["association"]
    return found["associationArn"], {"AssociationArn": found["associationArn"], "AssociationId": found["associationId"]}


def pod_delete(physical_id, props):
    must(eks._delete_pod_identity_association(props["ClusterName"], physical_id.rsplit("/", 1)[-1]))


handle("AWS::EKS::PodIdentityAssociation", pod_create, pod_delete)


def oidc_create(logical_id, props, stack_name):
    query = {"Url": [props["Url"]]}
    for i, client in enumerate(props.get("ClientIdList") or [], 1):
        query[f"ClientIDList.member.{i}"] = [client]
    must(iam._create_oidc_provider(query))
    id = list(iam._oidc_providers)[-1]
    return id, {"Arn": id}


def oidc_delete(physical_id, props):
    iam._oidc_providers.pop(physical_id)


handle("AWS::IAM::OIDCProvider", oidc_create, oidc_delete)


# S3

bucket_create, bucket_update = HANDLERS["AWS::S3::Bucket"]["create"], HANDLERS["AWS::S3::Bucket"]["update"]
bucket_delete = HANDLERS["AWS::S3::Bucket"]["delete"]


def bucket_tags(props, stack_name):
    # The function that empties a bucket reads its tags, and fails where there
    # are none. CloudFormation's own are always there.
    return {**tags(props), "aws:cloudformation:stack-name": stack_name}


def tagged_create(logical_id, props, stack_name):
    name, attributes = bucket_create(logical_id, props, stack_name)
    s3._bucket_tags[name] = bucket_tags(props, stack_name)
    return name, attributes


def tagged_update(physical_id, old, new, stack_name):
    name, attributes = bucket_update(physical_id, old, new, stack_name)
    s3._bucket_tags[name] = bucket_tags(new, stack_name)
    return name, attributes


def empty_delete(physical_id, props):
    bucket = s3._buckets.get(physical_id)
    versions = [key for key, kept in s3._object_versions.items() if key[0] == physical_id and kept]
    if bucket and (bucket["objects"] or versions):
        raise ValueError(f"The bucket you tried to delete is not empty: {physical_id} (BucketNotEmpty)")
    bucket_delete(physical_id, props)


HANDLERS["AWS::S3::Bucket"].update(create=tagged_create, update=tagged_update, delete=empty_delete)


# What protects a production deployment.

balancer_delete = HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"]["delete"]


def unprotected_delete(physical_id, props):
    if {"Key": "deletion_protection.enabled", "Value": "true"} in (alb._lb_attrs.get(physical_id) or []):
        raise ValueError(f"Load balancer '{physical_id}' cannot be deleted because deletion protection is enabled")
    balancer_delete(physical_id, props)


HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"]["delete"] = unprotected_delete


# An image that is not there is an error, or the CDK builds none.

describe_images = ecr._describe_images


def missing(data):
    status, headers, body = describe_images(data)
    if status == 200 and data.get("imageIds") and not json.loads(body)["imageDetails"]:
        return responses.error_response_json("ImageNotFoundException", "The image does not exist in the repository", 400)
    return status, headers, body


ecr._describe_images = missing


# Parameters that AWS publishes.

stored = ssm.resolve_parameter_value


def published(name):
    value = stored(name)
    if value is None and name.startswith("/aws/service/"):
        return "ami-" + uuid.uuid5(uuid.NAMESPACE_URL, name).hex[:17]
    return value


ssm.resolve_parameter_value = published

table = Table(HANDLERS)
for module in (provisioners, changesets):
    module._RESOURCE_HANDLERS = table


# Functions.

credentials = lambda_runtime.execution_credentials


def apart(config):
    """Give each environment a directory of its own to write to, as on Lambda."""
    return {**credentials(config), "TEST_OUTDIR": tempfile.mkdtemp(dir=WORK)}


lambda_runtime.execution_credentials = apart


# What exists.

# History, logs, measurements and what only belongs to something counted by itself.
NO_RESOURCES = {
    "cloudtrail._events", "cloudformation._stacks", "cloudformation._stack_events", "cloudformation._change_sets",
    "cloudwatch._metrics", "cloudwatch._alarm_history", "cloudwatch_logs._log_records",
    "s3._completed_multipart_uploads", "ecs._task_def_latest", "ecs._tasks", "ssm._parameter_history",
    "iam._aws_managed_attachment_counts", "ecs._account_settings",
}
GONE = {"deleted", "terminated", "INACTIVE", "DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}


def inventory():
    found = [f"{type} {id}" for id, type in RECORDED.items()]
    if CLUSTERS.exists():
        found += [f"in the cluster {item}" for item in json.loads(CLUSTERS.read_text() or "[]")]
    for name, module in sorted(sys.modules.items()):
        if not name.startswith("ministack.services."):
            continue
        for store, values in vars(module).items():
            kind = f"{name.removeprefix('ministack.services.')}.{store}"
            if not isinstance(values, SCOPED) or kind in NO_RESOURCES or "tags" in store or "_attrs" in store:
                continue
            for key, value in list(values._data.items()):
                # What was uploaded to the bootstrap bucket stays until `cdk gc`.
                if "cdk-hnb659fds-assets" in str(key) and store != "_buckets":
                    continue
                if isinstance(value, dict) and value.get("versions") == []:
                    continue
                state = value.get("State") or value.get("status") if isinstance(value, dict) else None
                if isinstance(state, dict):
                    state = state.get("Name")
                if state in GONE or value in (None, {}, [], ""):
                    continue
                found.append(f"{kind} {' '.join(str(key[-1]).split(chr(0)))}")
    return {"exists": sorted(set(found)), "recorded": sorted(MENTIONED)}


# What goes wrong when a test says so: POST /_fault with a type whose creation
# fails, or a service that answers an error, and how many times.

FAULTS = []


def fault(**wanted):
    for found in FAULTS:
        if found["times"] > 0 and all(found.get(key) == value for key, value in wanted.items()):
            found["times"] -= 1
            return found
    return None


provision = provisioners._provision_resource


def failing(type, *args):
    found = fault(type=type)
    if found:
        raise ValueError(found["message"])
    return provision(type, *args)


provisioners._provision_resource = stacks._provision_resource = failing

ministack = server.app


async def answer(send, status, body, kind="application/json"):
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode())]})
    await send({"type": "http.response.body", "body": body.encode()})


async def app(scope, receive, send):
    if scope["type"] == "http":
        if scope["path"] == "/_inventory":
            return await answer(send, 200, json.dumps(inventory()))
        if scope["path"] == "/_fault":
            FAULTS[:] = [json.loads((await receive())["body"])]
            return await answer(send, 200, "{}")
        signed = dict(scope["headers"]).get(b"authorization", b"").decode().split("/")
        found = len(signed) > 3 and fault(service=signed[3])
        if found:
            error = f"<Error><Type>Sender</Type><Code>{found['code']}</Code><Message>{found['message']}</Message></Error>"
            return await answer(send, found["status"], f"<ErrorResponse>{error}</ErrorResponse>", "text/xml")
    return await ministack(scope, receive, send)


if __name__ == "__main__":
    server.app = app
    server.main()
