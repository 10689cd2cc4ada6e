"""A SIP trunk with boto3, as in a script of an administrator. Prints the results. Endpoint and keys are in the environment."""

import json
import os

import boto3
from botocore.config import Config

voice = boto3.client(
    "chime-sdk-voice",
    endpoint_url=os.environ["ENDPOINT"],
    region_name="us-east-1",
    aws_access_key_id=os.environ["KEY"],
    aws_secret_access_key=os.environ["SECRET"],
    config=Config(retries={"max_attempts": 0}),
)

connector = voice.create_voice_connector(Name="trunk", RequireEncryption=True)["VoiceConnector"]
trunk = {"VoiceConnectorId": connector["VoiceConnectorId"]}
voice.put_voice_connector_termination(
    **trunk, Termination={"CallingRegions": ["US"], "CidrAllowedList": ["8.8.8.0/27"]}
)
voice.put_voice_connector_termination_credentials(
    **trunk, Credentials=[{"Username": "pbx", "Password": "CorrectHorse"}]
)
voice.put_voice_connector_origination(
    **trunk, Origination={"Routes": [{"Host": "8.8.8.1", "Port": 5060, "Protocol": "TCP", "Priority": 1, "Weight": 1}]}
)
voice.put_voice_connector_streaming_configuration(
    **trunk, StreamingConfiguration={"DataRetentionInHours": 1, "Disabled": False}
)
group = voice.create_voice_connector_group(Name="group", VoiceConnectorItems=[{**trunk, "Priority": 1}])["VoiceConnectorGroup"]

try:
    voice.delete_voice_connector(**trunk)
except voice.exceptions.ConflictException as error:
    conflict = error.response["Error"]["Code"]

print(
    json.dumps(
        {
            "id": connector["VoiceConnectorId"],
            "host": connector["OutboundHostName"],
            "created": connector["CreatedTimestamp"].isoformat(),
            "connectors": [each["Name"] for each in voice.list_voice_connectors()["VoiceConnectors"]],
            "usernames": voice.list_voice_connector_termination_credentials(**trunk)["Usernames"],
            "cpsLimit": voice.get_voice_connector_termination(**trunk)["Termination"]["CpsLimit"],
            "items": group["VoiceConnectorItems"],
            "conflict": conflict,
        }
    )
)
