/**
 * Names of regions in notifications.
 *
 * Source: botocore's endpoints. Recorded: `EU (Ireland)`, `EU (London)`, `EU (Stockholm)` in notifications, where the endpoints have
 * `Europe`. Source of the newer regions: AWS Account Management Reference Guide, "AWS Regions".
 */
// biome-ignore format: a table
const NAMES: Readonly<Record<string, string>> = {
  'us-east-1':      'US East (N. Virginia)',
  'us-east-2':      'US East (Ohio)',
  'us-west-1':      'US West (N. California)',
  'us-west-2':      'US West (Oregon)',
  'ca-central-1':   'Canada (Central)',
  'ca-west-1':      'Canada West (Calgary)',
  'mx-central-1':   'Mexico (Central)',
  'sa-east-1':      'South America (Sao Paulo)',
  'eu-central-1':   'EU (Frankfurt)',
  'eu-central-2':   'EU (Zurich)',
  'eu-north-1':     'EU (Stockholm)',
  'eu-south-1':     'EU (Milan)',
  'eu-south-2':     'EU (Spain)',
  'eu-west-1':      'EU (Ireland)',
  'eu-west-2':      'EU (London)',
  'eu-west-3':      'EU (Paris)',
  'af-south-1':     'Africa (Cape Town)',
  'il-central-1':   'Israel (Tel Aviv)',
  'me-central-1':   'Middle East (UAE)',
  'me-south-1':     'Middle East (Bahrain)',
  'ap-east-1':      'Asia Pacific (Hong Kong)',
  'ap-east-2':      'Asia Pacific (Taipei)',
  'ap-northeast-1': 'Asia Pacific (Tokyo)',
  'ap-northeast-2': 'Asia Pacific (Seoul)',
  'ap-northeast-3': 'Asia Pacific (Osaka)',
  'ap-south-1':     'Asia Pacific (Mumbai)',
  'ap-south-2':     'Asia Pacific (Hyderabad)',
  'ap-southeast-1': 'Asia Pacific (Singapore)',
  'ap-southeast-2': 'Asia Pacific (Sydney)',
  'ap-southeast-3': 'Asia Pacific (Jakarta)',
  'ap-southeast-4': 'Asia Pacific (Melbourne)',
  'ap-southeast-5': 'Asia Pacific (Malaysia)',
  'ap-southeast-6': 'Asia Pacific (New Zealand)',
  'ap-southeast-7': 'Asia Pacific (Thailand)',
  'us-gov-east-1':  'AWS GovCloud (US-East)',
  'us-gov-west-1':  'AWS GovCloud (US-West)',
};

/** Returns the name of a region in notifications. Assumed: a region without a name appears with its code. */
export function regionName(region: string): string {
  return NAMES[region] ?? region;
}
