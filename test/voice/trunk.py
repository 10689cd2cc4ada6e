"""A SIP trunk with boto3, as in a script of an administrator. Prints the results. Endpoint and keys are in the environment."""

import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

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

voice.put_voice_connector_logging_configuration(**trunk, LoggingConfiguration={"EnableSIPLogs": True})
function = f"arn:aws:lambda:us-east-1:{connector['VoiceConnectorArn'].split(':')[4]}:function:menu"
menu = voice.create_sip_media_application(AwsRegion="us-east-1", Name="menu", Endpoints=[{"LambdaArn": function}])["SipMediaApplication"]
application = {"SipMediaApplicationId": menu["SipMediaApplicationId"]}
rule = voice.create_sip_rule(
    Name="main",
    TriggerType="RequestUriHostname",
    TriggerValue=connector["OutboundHostName"],
    TargetApplications=[{**application, "Priority": 1}],
)["SipRule"]
rules = [each["Name"] for each in voice.list_sip_rules(**application)["SipRules"]]


def refusal(call, **arguments):
    """Returns the code of a call that the server refuses."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(call)


refusals = [
    refusal(voice.create_sip_media_application_call, **application, FromPhoneNumber="+15550100", ToPhoneNumber="+15550101"),
    refusal(voice.update_sip_media_application_call, **application, TransactionId="none", Arguments={}),
    refusal(voice.get_voice_connector_proxy, **trunk),
    refusal(voice.list_proxy_sessions, **trunk),
    refusal(
        voice.validate_e911_address,
        AwsAccountId=connector["VoiceConnectorArn"].split(":")[4],
        StreetNumber="1",
        StreetInfo="Main Street",
        City="Seattle",
        State="WA",
        Country="US",
        PostalCode="98101",
    ),
]

voice.update_sip_rule(SipRuleId=rule["SipRuleId"], Name="main", Disabled=True)
voice.delete_sip_rule(SipRuleId=rule["SipRuleId"])
voice.delete_sip_media_application(**application)

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
            "rules": rules,
            "refusals": refusals,
            "left": voice.list_sip_rules()["SipRules"] + voice.list_sip_media_applications()["SipMediaApplications"],
        }
    )
)
