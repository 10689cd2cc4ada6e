/**
 * Services that integrate with Organizations.
 *
 * Source: AWS Organizations User Guide, "AWS services that you can use with AWS Organizations", the service principals
 * on the pages of the services.
 * Recorded: tedilabs/terraform-aws-organization has `notifications.amazon.com`, `eks.amazonaws.com` and the principals
 * for the configuration of several accounts.
 * Recorded: AWS rejects `stacksets.cloudformation.amazonaws.com`, although the page of StackSets names this principal
 * (pepperize/cdk-organizations issue 1718).
 * Assumed: AWS recognizes no principals other than these.
 */
const RECOGNIZED: ReadonlySet<string> = new Set(
  [
    'access-analyzer account auditmanager aws-artifact-account-sync backup billing-cost-management cloudtrail compute-optimizer config',
    'config-multiaccountsetup controltower cost-optimization-hub.bcm dashboard.eks detective devops-guru ds ec2 ec2.capacitymanager eks fms',
    'guardduty health iam inspector2 ipam license-management.marketplace license-manager license-manager-linux-subscriptions',
    'license-manager.member-account macie malware-protection.guardduty member.org.stacksets.cloudformation mgn networkflowmonitor',
    'networkmanager observabilityadmin opsdatasync.ssm private-marketplace.marketplace procurement-insights.marketplace q ram',
    'reachabilityanalyzer.networkinsights reporting.trustedadvisor resource-explorer-2 security-ir securityhub securitylake',
    'selfservicereporting.managedservices servicecatalog servicequotas ssm sso storage-lens.s3 tagpolicies.tag topology.networkflowmonitor',
    'wellarchitected',
  ]
    .flatMap((line) => line.split(' '))
    .map((name) => `${name}.amazonaws.com`)
    .concat('notifications.amazon.com'),
);

/** Reports whether a service principal can have access to an organization. */
export function isServicePrincipal(name: string): boolean {
  return RECOGNIZED.has(name);
}
