/** What services are called in reports. Source: Service Authorization Reference, titles; of services that Belfry does not answer the prefix stands. */
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

export function serviceTitle(prefix: string): string {
  return Object.hasOwn(SERVICE_TITLES, prefix) ? (SERVICE_TITLES[prefix] as string) : prefix;
}
