/**
 * Context keys that have a slot in a request record: those AWS defines, and so a fixed number of them, whatever policies say.
 * All others (tags, keys nobody knows) are looked up by name in the request's context.
 *
 * Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, IAM, STS and Chime.
 */
// biome-ignore format: a table
export const SLOT_KEYS: readonly string[] = [
  // the principal
  'aws:principalaccount', 'aws:principalarn', 'aws:principalisawsservice', 'aws:principalorgid', 'aws:principalorgpaths', 'aws:principalservicename',
  'aws:principalservicenameslist', 'aws:principaltype', 'aws:userid', 'aws:username',
  // the role session
  'aws:assumedroot', 'aws:ec2instancesourceprivateipv4', 'aws:ec2instancesourcevpc', 'aws:federatedprovider', 'aws:multifactorauthage',
  'aws:multifactorauthpresent', 'aws:chatbotsourcearn', 'aws:sourceidentity', 'aws:tokenissuetime',
  // the network
  'aws:securetransport', 'aws:sourceip', 'aws:sourcevpc', 'aws:sourcevpcarn', 'aws:sourcevpce', 'aws:vpceaccount', 'aws:vpceorgid', 'aws:vpceorgpaths',
  'aws:vpcsourceip',
  // the resource
  'aws:resourceaccount', 'aws:resourceorgid', 'aws:resourceorgpaths',
  // the request
  'aws:calledvia', 'aws:calledviafirst', 'aws:calledvialast', 'aws:currenttime', 'aws:epochtime', 'aws:referer', 'aws:requestedregion', 'aws:sourceaccount',
  'aws:sourcearn', 'aws:sourceorgid', 'aws:sourceorgpaths', 'aws:tagkeys', 'aws:useragent', 'aws:viaawsservice', 'aws:ismcpserviceaction',
  // services
  'iam:awsservicename', 'iam:associatedresourcearn', 'iam:passedtoservice', 'iam:permissionsboundary', 'iam:policyarn', 'iam:organizationspolicyid',
  'sts:awsservicename', 'sts:durationseconds', 'sts:externalid', 'sts:requestcontextproviders', 'sts:rolesessionname', 'sts:sourceidentity',
  'sts:transitivetagkeys', 'sts:taskpolicyarn', 'saml:aud', 'saml:iss', 'saml:sub', 'saml:sub_type', 'saml:namequalifier',
];

const SLOTS: ReadonlyMap<string, number> = new Map(SLOT_KEYS.map((key, slot) => [key, slot]));

/** The slot of a context key, lower-cased; -1 where it has none and is looked up by name. */
export function slotOf(key: string): number {
  return SLOTS.get(key) ?? -1;
}
