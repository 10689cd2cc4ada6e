"""The main job with boto3: prints a JSON list of [call, outcome]. Endpoint and keys are in the environment."""

import json
import os
from datetime import datetime, timedelta
from unittest import mock

import boto3
import botocore.auth
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "us-east-1"
results = []


def client(service, key, secret, token=None):
    return boto3.client(
        service,
        endpoint_url=os.environ["ENDPOINT"],
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}),
    )


def tried(name, call):
    """Records the outcome of a call. Returns its output, or None after an error."""
    try:
        output = call()
        results.append([name, "ok"])
        return output
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        results.append([name, f"{error.response['Error']['Code']} {status}: {error.response['Error']['Message']}"])
        return None


def policy(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


admin = (os.environ["ADMIN_KEY"], os.environ["ADMIN_SECRET"])
partner = (os.environ["PARTNER_KEY"], os.environ["PARTNER_SECRET"])
account = client("sts", *admin).get_caller_identity()["Account"]

# Step 1: users, a policy with a condition, keys.
iam = client("iam", *admin)
keys = {}
for name in ("maker", "guest"):
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    keys[name] = (made["AccessKeyId"], made["SecretAccessKey"])
may = policy(
    Effect="Allow",
    Action=["chime:CreateMeeting", "chime:GetMeeting", "chime:CreateAttendee", "chime:ListAttendees", "sts:AssumeRole"],
    Resource="*",
    Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
)
arn = iam.create_policy(PolicyName="make-meetings", PolicyDocument=may)["Policy"]["Arn"]
iam.attach_user_policy(UserName="maker", PolicyArn=arn)
results.append(["users", sorted(user["UserName"] for page in iam.get_paginator("list_users").paginate() for user in page["Users"])])

# Step 2: a meeting and two attendees.
maker = client("chime-sdk-meetings", *keys["maker"])
meeting = maker.create_meeting(ClientRequestToken="first", MediaRegion=REGION, ExternalMeetingId="weekly")["Meeting"]["MeetingId"]
for person in ("anna", "bert"):
    maker.create_attendee(MeetingId=meeting, ExternalUserId=person)
results.append(["attendees", sorted(each["ExternalUserId"] for each in maker.list_attendees(MeetingId=meeting)["Attendees"])])

# Step 3: denied and rejected calls.
tried("maker deletes", lambda: maker.delete_meeting(MeetingId=meeting))
guest = client("chime-sdk-meetings", *keys["guest"])
tried("guest reads", lambda: guest.get_meeting(MeetingId=meeting))
tried("guest lists users", lambda: client("iam", *keys["guest"]).list_users())
tried("wrong secret", lambda: client("chime-sdk-meetings", keys["maker"][0], "x" * 40).get_meeting(MeetingId=meeting))
tried("unknown key", lambda: client("iam", "AKIAIOSFODNN7EXAMPLE", "x" * 40).list_users())


class SlowClock(datetime):
    @classmethod
    def utcnow(cls):
        return datetime.utcnow() - timedelta(minutes=6)


with mock.patch.object(botocore.auth.datetime, "datetime", SlowClock):
    tried("skewed clock", lambda: maker.get_meeting(MeetingId=meeting))



def alter(request, **_):
    body = request.body if isinstance(request.body, bytes) else request.body.encode()
    request.body = body.replace(b"eve", b"bob")


altered = client("iam", *keys["maker"])
altered.meta.events.register("before-send.iam", alter)
tried("altered body", lambda: altered.create_user(UserName="eve"))

# Step 4: a role of a second account, with an external id.
theirs = client("iam", *partner)
trust = policy(
    Effect="Allow",
    Principal={"AWS": account},
    Action="sts:AssumeRole",
    Condition={"StringEquals": {"sts:ExternalId": "agreed"}},
)
role = theirs.create_role(RoleName="visitor", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
managed = "arn:aws:iam::aws:policy/AmazonChimeSDK"
theirs.attach_role_policy(RoleName="visitor", PolicyArn=managed)
sts = client("sts", *keys["maker"])
tried("assume without the external id", lambda: sts.assume_role(RoleArn=role, RoleSessionName="visit"))
session = sts.assume_role(RoleArn=role, RoleSessionName="visit", ExternalId="agreed")["Credentials"]
visitor = client("chime-sdk-meetings", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
there = visitor.create_meeting(ClientRequestToken="visit", MediaRegion=REGION, ExternalMeetingId="visit")["Meeting"]["MeetingId"]
tried("visitor reads", lambda: visitor.get_meeting(MeetingId=there))
theirs.detach_role_policy(RoleName="visitor", PolicyArn=managed)
tried("visitor reads after the policy is detached", lambda: visitor.get_meeting(MeetingId=there))
url = client("sts", *keys["maker"]).generate_presigned_url("get_caller_identity", HttpMethod="GET")
results.append(["presigned", url])

# Step 5: the event history.
trail = client("cloudtrail", *admin)
events = [event for page in trail.get_paginator("lookup_events").paginate() for event in page["Events"]]
record = [json.loads(event["CloudTrailEvent"]) for event in reversed(events)]
results.append(["record", [[event["userIdentity"].get("userName"), event["eventName"], event.get("errorCode")] for event in record]])
print(json.dumps({"account": account, "meeting": meeting, "role": role, "results": results}))
