"""Chime SDK Identity with boto3: prints the responses as one JSON object. Endpoint and keys are in the environment."""

import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

identity = boto3.client(
    "chime-sdk-identity",
    endpoint_url=os.environ["ENDPOINT"],
    region_name="us-east-1",
    aws_access_key_id=os.environ["ADMIN_KEY"],
    aws_secret_access_key=os.environ["ADMIN_SECRET"],
    config=Config(retries={"max_attempts": 0}),
)


def refusal(call):
    """Returns the error code and the status of a refused call."""
    try:
        call()
        return "it was allowed"
    except ClientError as error:
        return f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}"


instance = identity.create_app_instance(Name="chat", Tags=[{"Key": "team", "Value": "blue"}])["AppInstanceArn"]
user = identity.create_app_instance_user(AppInstanceArn=instance, AppInstanceUserId="ada@example.org", Name="Ada")["AppInstanceUserArn"]
identity.create_app_instance_admin(AppInstanceArn=instance, AppInstanceAdminArn=user)
identity.tag_resource(ResourceARN=user, Tags=[{"Key": "team", "Value": "red"}])
answers = {
    "name": identity.describe_app_instance_user(AppInstanceUserArn=user)["AppInstanceUser"]["Name"],
    "instances": [each["Name"] for each in identity.list_app_instances()["AppInstances"]],
    "users": [each["Name"] for each in identity.list_app_instance_users(AppInstanceArn=instance)["AppInstanceUsers"]],
    "admins": [each["Admin"]["Name"] for each in identity.list_app_instance_admins(AppInstanceArn=instance)["AppInstanceAdmins"]],
    "tags": [identity.list_tags_for_resource(ResourceARN=arn)["Tags"] for arn in (instance, user)],
}
identity.delete_app_instance(AppInstanceArn=instance)
answers["deleted"] = refusal(lambda: identity.describe_app_instance(AppInstanceArn=instance))
answers["no ARN"] = refusal(lambda: identity.describe_app_instance(AppInstanceArn="chat!"))
print(json.dumps(answers))
