"""A voice administrator's work with boto3, from the order of numbers to the deletion of everything. Prints the results.

Endpoint and keys are in the environment.
"""

import json
import os
import time

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


def refused(call, **members):
    """Returns the code of the error."""
    try:
        call(**members)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def codes(response):
    return [each["ErrorCode"] for each in response["PhoneNumberErrors"]]


def order_of(id):
    return voice.get_phone_number_order(PhoneNumberOrderId=id)["PhoneNumberOrder"]


# Order numbers. They can be used when the order is final.
numbers = voice.search_available_phone_numbers(AreaCode="206", State="WA", MaxResults=2)["E164PhoneNumbers"]
order = voice.create_phone_number_order(ProductType="VoiceConnector", E164PhoneNumbers=numbers)["PhoneNumberOrder"]

# Create two trunks, and configure one of them.
connector = voice.create_voice_connector(Name="trunk", RequireEncryption=True)["VoiceConnector"]
trunk = {"VoiceConnectorId": connector["VoiceConnectorId"]}
backup = voice.create_voice_connector(Name="backup", RequireEncryption=False, AwsRegion="us-west-2")["VoiceConnector"]
second = {"VoiceConnectorId": backup["VoiceConnectorId"]}
first = voice.list_voice_connectors(MaxResults=1)
pages = [first, voice.list_voice_connectors(MaxResults=1, NextToken=first["NextToken"])]
names = sorted(each["Name"] for page in pages for each in page["VoiceConnectors"])

users = [{"Username": "pbx", "Password": "CorrectHorse"}, {"Username": "old", "Password": "BatteryStaple"}]
no_termination = refused(voice.put_voice_connector_termination_credentials, **trunk, Credentials=users)
termination = {"CallingRegions": ["US"], "CidrAllowedList": ["8.8.8.0/27"], "CpsLimit": 1}
voice.put_voice_connector_termination(**trunk, Termination=termination)
too_wide = refused(voice.put_voice_connector_termination, **trunk, Termination={**termination, "CidrAllowedList": ["8.8.8.0/24"]})
voice.put_voice_connector_termination_credentials(**trunk, Credentials=users)
voice.delete_voice_connector_termination_credentials(**trunk, Usernames=["old"])

routes = [
    {"Host": "8.8.8.1", "Port": 5061, "Protocol": "TCP", "Priority": 1, "Weight": 1},
    {"Host": "8.8.8.2", "Port": 5060, "Protocol": "UDP", "Priority": 2, "Weight": 1},
]
voice.put_voice_connector_origination(**trunk, Origination={"Routes": routes, "Disabled": False})
voice.put_voice_connector_logging_configuration(**trunk, LoggingConfiguration={"EnableSIPLogs": True})
voice.put_voice_connector_streaming_configuration(**trunk, StreamingConfiguration={"DataRetentionInHours": 1, "Disabled": False})
voice.update_global_settings(VoiceConnector={"CdrBucket": "call-records"})

no_emergency = refused(voice.get_voice_connector_emergency_calling_configuration, **trunk)
emergency = {"DNIS": [{"EmergencyPhoneNumber": "+12065550911", "CallingCountry": "US"}]}
voice.put_voice_connector_emergency_calling_configuration(**trunk, EmergencyCallingConfiguration=emergency)
needed = refused(voice.delete_voice_connector_origination, **trunk)

items = [{**trunk, "Priority": 1}, {**second, "Priority": 2}]
group = voice.create_voice_connector_group(Name="group", VoiceConnectorItems=items)["VoiceConnectorGroup"]
both = {"VoiceConnectorGroupId": group["VoiceConnectorGroupId"]}

# Give the numbers to the trunk, and move one to the group.
while order_of(order["PhoneNumberOrderId"])["Status"] == "Processing":
    time.sleep(1)
associate = voice.associate_phone_numbers_with_voice_connector
regroup = voice.associate_phone_numbers_with_voice_connector_group
associated = codes(associate(**trunk, E164PhoneNumbers=[*numbers, "+12065550199"]))
taken = codes(regroup(**both, E164PhoneNumbers=numbers[1:]))
moved = codes(regroup(**both, E164PhoneNumbers=numbers[1:], ForceAssociate=True))
voice.update_phone_number(PhoneNumberId=numbers[0], CallingName="Acme")


def numbers_of(name, value):
    listed = voice.list_phone_numbers(FilterName=name, FilterValue=value)["PhoneNumbers"]
    return [numbers.index(each["E164PhoneNumber"]) for each in listed]


state = {
    "username": voice.list_voice_connector_termination_credentials(**trunk)["Usernames"],
    "termination": voice.get_voice_connector_termination(**trunk)["Termination"] == {**termination, "Disabled": False},
    "origination": voice.get_voice_connector_origination(**trunk)["Origination"] == {"Routes": routes, "Disabled": False},
    "logging": voice.get_voice_connector_logging_configuration(**trunk)["LoggingConfiguration"],
    "streaming": voice.get_voice_connector_streaming_configuration(**trunk)["StreamingConfiguration"]["DataRetentionInHours"],
    "emergency": voice.get_voice_connector_emergency_calling_configuration(**trunk)["EmergencyCallingConfiguration"] == emergency,
    "bucket": voice.get_global_settings()["VoiceConnector"],
    "items": voice.get_voice_connector_group(**both)["VoiceConnectorGroup"]["VoiceConnectorItems"] == items,
    "trunk": numbers_of("VoiceConnectorId", trunk["VoiceConnectorId"]),
    "group": numbers_of("VoiceConnectorGroupId", both["VoiceConnectorGroupId"]),
}

# Create a SIP media application with a rule. Calls, proxies and the check of addresses are refused.
account = connector["VoiceConnectorArn"].split(":")[4]
menu = voice.create_sip_media_application(
    AwsRegion="us-east-1", Name="menu", Endpoints=[{"LambdaArn": f"arn:aws:lambda:us-east-1:{account}:function:menu"}]
)["SipMediaApplication"]
application = {"SipMediaApplicationId": menu["SipMediaApplicationId"]}
rule = voice.create_sip_rule(
    Name="main",
    TriggerType="RequestUriHostname",
    TriggerValue=connector["OutboundHostName"],
    TargetApplications=[{**application, "Priority": 1}],
)["SipRule"]
rules = [each["Name"] for each in voice.list_sip_rules(**application)["SipRules"]]
address = {"StreetNumber": "1", "StreetInfo": "Main Street", "City": "Seattle", "State": "WA", "Country": "US", "PostalCode": "98101"}
calls = [
    refused(voice.create_sip_media_application_call, **application, FromPhoneNumber="+15550100", ToPhoneNumber="+15550101"),
    refused(voice.update_sip_media_application_call, **application, TransactionId="none", Arguments={}),
    refused(voice.get_voice_connector_proxy, **trunk),
    refused(voice.list_proxy_sessions, **trunk),
    refused(voice.validate_e911_address, AwsAccountId=account, **address),
]

# Delete everything. Each deletion is refused until the deletion of what depends on the resource.
refusals = [
    refused(voice.delete_voice_connector, **trunk),
    refused(voice.delete_voice_connector_group, **both),
    refused(voice.delete_phone_number, PhoneNumberId=numbers[0]),
    refused(voice.delete_sip_media_application, **application),
]
voice.update_voice_connector_group(**both, Name="group", VoiceConnectorItems=[])
refusals += [refused(voice.delete_voice_connector, **trunk), refused(voice.delete_voice_connector_group, **both)]
voice.update_sip_rule(SipRuleId=rule["SipRuleId"], Name="main", Disabled=True)
voice.delete_sip_rule(SipRuleId=rule["SipRuleId"])
voice.delete_sip_media_application(**application)
voice.disassociate_phone_numbers_from_voice_connector(**trunk, E164PhoneNumbers=numbers[:1])
voice.disassociate_phone_numbers_from_voice_connector_group(**both, E164PhoneNumbers=numbers[1:])
voice.delete_voice_connector_emergency_calling_configuration(**trunk)
voice.delete_voice_connector_origination(**trunk)
voice.delete_voice_connector_termination(**trunk)
voice.delete_voice_connector_streaming_configuration(**trunk)
voice.delete_voice_connector_group(**both)
for each in (trunk, second):
    voice.delete_voice_connector(**each)
deleted = codes(voice.batch_delete_phone_number(PhoneNumberIds=numbers))

print(
    json.dumps(
        {
            "id": connector["VoiceConnectorId"],
            "host": connector["OutboundHostName"],
            "created": connector["CreatedTimestamp"].isoformat(),
            "ordered": [order["Status"], order_of(order["PhoneNumberOrderId"])["Status"]],
            "connectors": names,
            "early": [no_termination, too_wide, no_emergency, needed],
            "numbers": [associated, taken, moved],
            **state,
            "rules": rules,
            "calls": calls,
            "refusals": refusals,
            "deleted": deleted,
            "left": [
                refused(voice.get_voice_connector, **trunk),
                refused(voice.get_voice_connector_group, **both),
                voice.list_voice_connectors()["VoiceConnectors"],
                voice.list_sip_rules()["SipRules"] + voice.list_sip_media_applications()["SipMediaApplications"],
                [each["Status"] for each in voice.list_phone_numbers()["PhoneNumbers"]],
            ],
        }
    )
)
