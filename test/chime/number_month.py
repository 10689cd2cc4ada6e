"""Rows 14 to 16 of an administrator's month with boto3. Prints the results. Endpoint and keys are in the environment."""

import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def client(name):
    return boto3.client(
        name,
        endpoint_url=f"{os.environ['ENDPOINT']}/_{name}",
        region_name="us-east-1",
        aws_access_key_id=os.environ["KEY"],
        aws_secret_access_key=os.environ["SECRET"],
        config=Config(retries={"max_attempts": 0}),
    )


def refused(call, **members):
    try:
        call(**members)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


chime = client("chime")
number = sys.argv[1]
found = chime.get_phone_number(PhoneNumberId=number)["PhoneNumber"]
by_id = chime.get_phone_number(PhoneNumberId=found["PhoneNumberId"])["PhoneNumber"]
chime.delete_phone_number(PhoneNumberId=found["PhoneNumberId"])
print(
    json.dumps(
        {
            "id": found["PhoneNumberId"],
            "same": by_id == found,
            "again": refused(chime.delete_phone_number, PhoneNumberId=number),
            "batch": [each["ErrorCode"] for each in chime.batch_delete_phone_number(PhoneNumberIds=[number])["PhoneNumberErrors"]],
            "restored": chime.restore_phone_number(PhoneNumberId=number)["PhoneNumber"]["Status"],
            "listed": [each["E164PhoneNumber"] for each in chime.list_phone_numbers(ProductType="BusinessCalling")["PhoneNumbers"]],
        }
    )
)
