"""Steps of an administrator's month with boto3. Prints the results. Endpoint and keys are in the environment."""

import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

UNKNOWN = "a6b1e9b0-0000-4000-8000-999999999999"

chime = boto3.client(
    "chime",
    endpoint_url=os.environ["ENDPOINT"],
    region_name="us-east-1",
    aws_access_key_id=os.environ["KEY"],
    aws_secret_access_key=os.environ["SECRET"],
    config=Config(retries={"max_attempts": 0}, parameter_validation=False),
)


def refused(call, **members):
    try:
        call(**members)
    except ClientError as error:
        return error.response["Error"]
    return {}


def invite():
    account = chime.create_account(Name="Month")["Account"]["AccountId"]
    emails = ["u1@month.example.com", "u2@month.example.com"]
    invites = chime.invite_users(AccountId=account, UserEmailList=emails)["Invites"]
    users = [user for page in chime.get_paginator("list_users").paginate(AccountId=account) for user in page["Users"]]
    many = refused(chime.invite_users, AccountId=account, UserEmailList=[f"m{i}@example.com" for i in range(51)])
    created = refused(chime.create_user, AccountId=account, Username="u3", Email="u3@month.example.com")
    return {
        "account": account,
        "invites": [[each["Status"], each["EmailStatus"]] for each in invites],
        "users": [[u["UserRegistrationStatus"], u["UserInvitationStatus"], u.get("PersonalPIN")] for u in users],
        "many": many["Code"],
        "created": created["Code"],
        "message": created["Message"],
    }


def change(account, first, second):
    own = {"AccountId": account}
    [user] = chime.list_users(**own, UserEmail="U1@month.example.com")["Users"]
    items = [{"UserId": each, "LicenseType": "Basic"} for each in (first, second)]
    unknown = [{"UserId": UNKNOWN, "LicenseType": "Basic"}]
    errors = chime.batch_update_user(**own, UpdateUserRequestItems=items + unknown)["UserErrors"]
    pins = [chime.reset_personal_pin(**own, UserId=first)["User"]["PersonalPIN"] for _ in range(2)]
    return {
        "listed": [
            user["UserRegistrationStatus"],
            user["UserInvitationStatus"],
            user["LicenseType"],
            "RegisteredOn" in user,
            user.get("PersonalPIN"),
        ],
        "accounts": [each["AccountId"] for each in chime.list_accounts(UserEmail="u1@month.example.com")["Accounts"]],
        "errors": [each["ErrorCode"] for each in errors],
        "licenses": [chime.get_user(**own, UserId=each)["User"]["LicenseType"] for each in (first, second)],
        "again": chime.batch_update_user(**own, UpdateUserRequestItems=items)["UserErrors"],
        "pins": pins,
        "suspended": chime.batch_suspend_user(**own, UserIdList=[second])["UserErrors"],
        "status": chime.get_user(**own, UserId=second)["User"]["UserRegistrationStatus"],
        "logout": chime.logout_user(**own, UserId=first)["ResponseMetadata"]["HTTPStatusCode"],
    }


print(json.dumps(invite() if sys.argv[1] == "invite" else change(*sys.argv[2:])))
