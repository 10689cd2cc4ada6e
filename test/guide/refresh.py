"""boto3 and botocore as Debian has them: a profile that assumes a role, and credentials that are refreshed before they expire."""

import datetime
import json
import os

import boto3
import botocore.credentials
import botocore.session

ENDPOINT = os.environ["ENDPOINT"]
ROLE = os.environ["ROLE"]


def identity_of(session):
    return session.client("sts", endpoint_url=ENDPOINT).get_caller_identity()["Arn"]


output = {"profile": identity_of(boto3.Session(profile_name="worker"))}

# The test sets the clock that decides about a refresh. Requests are signed with the system clock.
ahead = datetime.timedelta()


def clock():
    return datetime.datetime.now(datetime.timezone.utc) + ahead


source = botocore.session.get_session()
source.set_config_variable("profile", "maker")


def client(name, **arguments):
    return source.create_client(name, endpoint_url=ENDPOINT, **arguments)


cache = {}
fetcher = botocore.credentials.AssumeRoleCredentialFetcher(
    client,
    source.get_credentials(),
    ROLE,
    extra_args={"RoleSessionName": "refreshed", "DurationSeconds": 3600},
    cache=cache,
)
credentials = botocore.credentials.DeferredRefreshableCredentials(
    refresh_using=fetcher.fetch_credentials, method="assume-role", time_fetcher=clock
)
session = botocore.session.get_session()
session._credentials = credentials
meetings = boto3.Session(botocore_session=session)

first = credentials.get_frozen_credentials().access_key
output["first"] = identity_of(meetings)
output["cached"] = credentials.get_frozen_credentials().access_key == first
ahead = datetime.timedelta(seconds=3300)
cache.clear()
output["second"] = identity_of(meetings)
output["renewed"] = credentials.get_frozen_credentials().access_key != first
print(json.dumps(output))
