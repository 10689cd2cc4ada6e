/**
 * Regions that the credential scope of a request may contain, in addition to the configured region of the server.
 *
 * LookupEvents searches one region at a time. Without this list, a client could hide its calls in an invented region.
 *
 * Source: botocore's endpoints, partitions `aws` and `aws-us-gov`. Newer regions: AWS Account Management Reference Guide, "AWS Regions".
 */
// biome-ignore format: a table
export const REGIONS: ReadonlySet<string> = new Set([
  'us-east-1',      'us-east-2',      'us-west-1',      'us-west-2',
  'ca-central-1',   'ca-west-1',      'mx-central-1',   'sa-east-1',
  'eu-central-1',   'eu-central-2',   'eu-north-1',     'eu-south-1',     'eu-south-2',     'eu-west-1',      'eu-west-2',      'eu-west-3',
  'af-south-1',     'il-central-1',   'me-central-1',   'me-south-1',
  'ap-east-1',      'ap-east-2',      'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1',     'ap-south-2',
  'ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7',
  'us-gov-east-1',  'us-gov-west-1',
]);
