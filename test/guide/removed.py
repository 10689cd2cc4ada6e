"""Operations that a chime client of 2022 has: prints the outcome of each call as JSON. Endpoint and keys are in the environment."""

import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def client(path):
    # Otherwise botocore adds `identity-` to the host for operations that had their own host.
    config = Config(inject_host_prefix=False, retries={"max_attempts": 0})
    return boto3.client("chime", endpoint_url=os.environ["ENDPOINT"] + path, region_name="us-east-1", config=config)


def outcome(call):
    try:
        call()
        return "ok"
    except ClientError as error:
        return f"{error.response['ResponseMetadata']['HTTPStatusCode']} {error}"


classic = client("/_chime")
meeting = {"ClientRequestToken": "first", "MediaRegion": "us-east-1", "ExternalMeetingId": "weekly"}
print(
    json.dumps(
        {
            "CreateMeeting": outcome(lambda: classic.create_meeting(**meeting)),
            "ListMeetings": outcome(lambda: classic.list_meetings()),
            "DeleteVoiceConnector": outcome(lambda: classic.delete_voice_connector(VoiceConnectorId="a")),
            "ListAppInstances": outcome(lambda: classic.list_app_instances()),
            "CreateMeeting without a base path": outcome(lambda: client("").create_meeting(**meeting)),
        }
    )
)
