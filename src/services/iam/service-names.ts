/** Service names in reports. Services without an entry are shown by their prefix. Source: Service Authorization Reference, titles. */
const SERVICE_TITLES: Readonly<Record<string, string>> = {
  'access-analyzer': 'AWS IAM Access Analyzer',
  chime: 'Amazon Chime',
  cloudtrail: 'AWS CloudTrail',
  cloudwatch: 'Amazon CloudWatch',
  events: 'Amazon EventBridge',
  iam: 'AWS Identity and Access Management',
  organizations: 'AWS Organizations',
  sts: 'AWS Security Token Service',
};

/** Returns the name of a service by its prefix. */
export function serviceTitle(prefix: string): string {
  return Object.hasOwn(SERVICE_TITLES, prefix) ? (SERVICE_TITLES[prefix] as string) : prefix;
}
