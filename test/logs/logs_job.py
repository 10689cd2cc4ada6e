"""Calls of CloudWatch Logs with boto3. Prints the results as JSON."""
import json
import os
import time

import boto3
from botocore.exceptions import ClientError

logs = boto3.client(
    'logs',
    endpoint_url=os.environ['ENDPOINT'],
    region_name='us-east-1',
    aws_access_key_id=os.environ['KEY'],
    aws_secret_access_key=os.environ['SECRET'],
)
now = int(time.time() * 1000)
group, stream = {'logGroupName': 'boto'}, {'logGroupName': 'boto', 'logStreamName': 'a'}


def code(call):
    """Returns the code and the message of an error."""
    try:
        call()
        return 'ok'
    except ClientError as error:
        return f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}: {error.response['Error']['Message']}"


logs.create_log_group(**group, tags={'team': 'a'})
logs.create_log_stream(**stream)
logs.put_log_events(**stream, logEvents=[{'timestamp': now + i, 'message': f'line {i}'} for i in range(25)])
pages = logs.get_paginator('filter_log_events').paginate(**group, filterPattern='line', PaginationConfig={'PageSize': 10})
print(json.dumps({
    'filtered': [event['message'] for page in pages for event in page['events']],
    'groups': [each['logGroupName'] for page in logs.get_paginator('describe_log_groups').paginate() for each in page['logGroups']],
    'tags': logs.list_tags_for_resource(resourceArn=logs.describe_log_groups(logGroupNamePrefix='boto')['logGroups'][0]['arn'].removesuffix(':*'))['tags'],
    'rejected': logs.put_log_events(**stream, logEvents=[{'timestamp': 1, 'message': 'old'}])['rejectedLogEventsInfo'],
    'errors': [
        code(lambda: logs.create_log_group(**group)),
        code(lambda: logs.create_log_group(logGroupName='a b')),
        code(lambda: logs.create_log_group(logGroupName='a' * 513)),
        code(lambda: logs.put_log_events(logGroupName='no', logStreamName='a', logEvents=[{'timestamp': now, 'message': 'x'}])),
        code(lambda: logs.get_log_events(**stream, nextToken='invalid')),
        code(lambda: logs.filter_log_events(**group, nextToken='invalid')),
        code(lambda: logs.start_query(**group, startTime=0, endTime=1, queryString='fields @message')),
    ],
}))
