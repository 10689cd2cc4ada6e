"""boto3 and botocore as Debian has them: a profile that assumes a role, and credentials that are fetched anew before they end."""

import datetime
import json
import os

import boto3
import botocore.credentials
import botocore.session

ENDPOINT = os.environ["ENDPOINT"]
ROLE = os.environ["ROLE"]


def who(session):
    return session.client("sts", endpoint_url=ENDPOINT).get_caller_identity()["Arn"]


said = {"profile": who(boto3.Session(profile_name="worker"))}

# The clock that decides when to fetch anew is ours; the requests are signed by the machine's.
ahead = datetime.timedelta()


def clock():
    return datetime.datetime.now(datetime.timezone.utc) + ahead


source = botocore.session.get_session()
source.set_config_variable("profile", "maker")


def client(name, **arguments):
    return source.create_client(name, endpoint_url=ENDPOINT, **arguments)


kept = {}
fetcher = botocore.credentials.AssumeRoleCredentialFetcher(
    client,
    source.get_credentials(),
    ROLE,
    extra_args={"RoleSessionName": "refreshed", "DurationSeconds": 3600},
    cache=kept,
)
credentials = botocore.credentials.DeferredRefreshableCredentials(
    refresh_using=fetcher.fetch_credentials, method="assume-role", time_fetcher=clock
)
session = botocore.session.get_session()
session._credentials = credentials
meetings = boto3.Session(botocore_session=session)

first = credentials.get_frozen_credentials().access_key
said["first"] = who(meetings)
said["kept"] = credentials.get_frozen_credentials().access_key == first
ahead = datetime.timedelta(seconds=3300)
kept.clear()
said["second"] = who(meetings)
said["renewed"] = credentials.get_frozen_credentials().access_key != first
print(json.dumps(said))
