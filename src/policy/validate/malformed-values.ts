/**
 * IAM's error messages about one value of a policy: an action, a resource or a principal. Create and Put operations
 * return these messages. `malformed-policy-text.ts` defines the order of the checks.
 */

const IAM_PATHS = [
  'user/',
  'federated-user/',
  'role/',
  'group/',
  'instance-profile/',
  'mfa/',
  'server-certificate/',
  'policy/',
  'sms-mfa/',
  'saml-provider/',
  'oidc-provider/',
  'report/',
  'access-report/',
] as const;

/**
 * Valid paths that are missing from IAM's error message, which lists `IAM_PATHS`.
 *
 * Source: service authorization reference, resource types of `iam` and `sts`.
 */
const NEWER_IAM_PATHS = ['root', 'delegation-request/', 'assumed-role/', 'role-template/', 'contextProvider/'] as const;

/** Partition of all accounts of this server. */
const PARTITION = 'aws';

/**
 * Reports whether an ARN in a policy has a valid partition. Two partitions are valid: the partition of this server's
 * accounts, and `*`, which means any partition.
 *
 * Source: `*` occurs in 49 of AWS's managed policies, such as AWSIdentitySyncFullAccess, and in moto's tests of IAM
 * policies.
 * Source: CreatePolicy in a Chinese account (partition `aws-cn`) rejects `arn:aws:…`
 * (kubernetes-sigs/aws-load-balancer-controller, issue 1557).
 * Assumed: an account of the partition `aws` rejects `arn:aws-cn:…` in the same way.
 */
function isPartition(partition: string): boolean {
  return partition === PARTITION || partition === '*';
}

const VENDOR = /^[A-Za-z0-9.-]+$/;

/**
 * Returns the message for an action with an invalid prefix, or `undefined` if the prefix is valid.
 *
 * Any name is valid after the colon. An unknown name matches no action.
 *
 * Source: moto, tests/test_iam/test_iam_policies.py; versitygw, IAMPutUserPolicy tests (both recorded from IAM).
 * Assumed: a wildcard in the prefix (`s*:Get*`) is an invalid vendor, although ValidatePolicy has `WILDCARD_IN_SERVICE_NAME` for it.
 * Such a prefix also allows actions of other services, which is easy to miss in a review.
 */
export function actionProblem(action: string): string | undefined {
  if (action === '*') return undefined;
  const colon = action.indexOf(':');
  if (colon < 0) return 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';
  if (action.indexOf(':', colon + 1) >= 0) return 'Actions/Condition can contain only one colon.';
  const vendor = action.slice(0, colon);
  return VENDOR.test(vendor) ? undefined : `Vendor ${vendor} is not valid`;
}

/**
 * Reports whether IAM's legacy parser rejects a resource. IAM reports this before most other problems of a document.
 *
 * The parser rejects an empty vendor (service), an empty field in an ARN of fewer than six fields, and a variable in
 * the region or account.
 *
 * Source: moto, tests/test_iam/test_iam_policies.py; versitygw, IAMPutUserPolicy tests (both recorded from IAM), for
 * the vendor and the fields.
 * Source: an error that IAM returned for `arn:aws:iam::${aws:PrincipalAccount}:role/x`, for the variables.
 */
export function failsLegacyParsing(resource: string): boolean {
  if (resource === '*') return false;
  const fields = resource.split(':', 6);
  if (fields.length < 2) return false;
  const [, partition = '', vendor, region = '', account = ''] = fields;
  if (vendor === '' && (isPartition(partition) || fields[0] === 'arn')) return true;
  if (isPartition(partition) && fields.length < 6 && resource.includes('::')) return true;
  return region.includes('$') || account.includes('$');
}

/**
 * Returns the message for an invalid resource, or `undefined` if the resource is valid.
 *
 * Source: moto, tests/test_iam/test_iam_policies.py; versitygw, IAMPutUserPolicy tests (both recorded from IAM).
 */
export function resourceProblem(resource: string): string | undefined {
  if (resource === '*') return undefined;
  const [scheme, partition, vendor, region, account, ...path] = resource.split(':');
  if (partition === undefined) return `Resource ${resource} must be in ARN format or "*".`;
  if (scheme !== 'arn' || !isPartition(partition)) {
    const [, , ...rest] = resource.split(':');
    const fields = [rest[0] ?? '*', rest[1] ?? '*', rest[2] ?? '*', rest.length > 3 ? rest.slice(3).join(':') : '*'];
    return `Partition "${partition}" is not valid for resource "arn:${partition}:${fields.join(':')}".`;
  }
  if (vendor === undefined || !VENDOR.test(vendor)) return 'Resource vendor must be fully qualified and cannot contain regexes.';
  const hasRegion = region !== undefined && region !== '' && region !== '*';
  if (hasRegion && vendor === 'iam') return `IAM resource ${resource} cannot contain region information.`;
  // The ARN of an access point has a region and an account. The ARN of a bucket has neither.
  if (hasRegion && vendor === 's3' && account === '') return `Resource ${resource} can not contain region information.`;
  return vendor === 'iam' && path.length > 0 ? iamPathProblem(path.join(':')) : undefined;
}

function iamPathProblem(path: string): string | undefined {
  if (path === '*' || [...IAM_PATHS, ...NEWER_IAM_PATHS].some((start) => path.startsWith(start))) return undefined;
  return `IAM resource path must either be "*" or start with ${IAM_PATHS.join(', ')}.`;
}

/** Principal types that a `Principal` element can contain, case-sensitive. */
export const PRINCIPAL_TYPES = ['AWS', 'Service', 'Federated', 'CanonicalUser'] as const;
/** One of `PRINCIPAL_TYPES`. */
export type PrincipalElementType = (typeof PRINCIPAL_TYPES)[number];

/** Returns `Invalid principal in policy: "AWS":"arn:…"`. IAM also returns this message if the user or role does not exist. */
export function invalidPrincipalText(type: PrincipalElementType | 'STAR', value: string): string {
  return `Invalid principal in policy: "${type.toUpperCase()}":"${value}"`;
}

const ACCOUNT = /^[0-9]{12}$/;
const UNIQUE_ID = /^(AIDA|AROA)[A-Z0-9]{12,124}$/;
const DOMAIN = /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(\/[\w.~/-]*)?$/;
const SERVICE = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$/;

/**
 * Returns the message for an invalid principal of a trust or resource policy, or `undefined` if it is valid.
 *
 * Source: IAM User Guide, "Principal". Messages: public error reports.
 * Assumed: accepts every well-formed service principal. IAM accepts only existing services.
 */
export function principalProblem(type: PrincipalElementType, value: string): string | undefined {
  switch (type) {
    case 'AWS':
      return isAwsPrincipal(value) ? undefined : invalidPrincipalText(type, value);
    case 'Service':
      return isServicePrincipal(value) ? undefined : invalidPrincipalText(type, value);
    case 'Federated':
      return isFederatedPrincipal(value) ? undefined : 'Federated principals must be valid domain names or SAML metadata ARNs';
    case 'CanonicalUser':
      return invalidPrincipalText(type, value);
  }
}

/** Reports whether a string has the form of a service principal, such as `chime.amazonaws.com`. */
export function isServicePrincipal(value: string): boolean {
  return SERVICE.test(value);
}

/**
 * Accepts `*`, an account ID, a unique ID, and the ARN of a root user, user, role or session. Rejects the ARN of a
 * group, and an ARN with a wildcard.
 */
function isAwsPrincipal(value: string): boolean {
  if (value === '*' || ACCOUNT.test(value) || UNIQUE_ID.test(value)) return true;
  const [scheme, partition = '', vendor, region, account = '', ...rest] = value.split(':');
  const path = rest.join(':');
  if (scheme !== 'arn' || partition !== PARTITION || region !== '' || !ACCOUNT.test(account)) return false;
  if (path.includes('*') || path.includes('?') || path.includes('$')) return false;
  switch (vendor) {
    case 'iam':
      return path === 'root' || nameAfter(path, 'user/') || nameAfter(path, 'role/');
    case 'sts':
      return nameAfter(path, 'federated-user/') || (nameAfter(path, 'assumed-role/') && path.split('/').length === 3);
    default:
      return false;
  }
}

function isFederatedPrincipal(value: string): boolean {
  if (!value.startsWith('arn:')) return DOMAIN.test(value);
  const [, partition = '', vendor, region, account = '', ...rest] = value.split(':');
  const path = rest.join(':');
  if (partition !== PARTITION || vendor !== 'iam' || region !== '' || !ACCOUNT.test(account)) return false;
  if (path.includes('*') || path.includes('?')) return false;
  // The name of an OpenID Connect provider is its issuer, which may end with a slash.
  return nameAfter(path, 'saml-provider/') || (path.startsWith('oidc-provider/') && path !== 'oidc-provider/');
}

function nameAfter(path: string, start: string): boolean {
  return path.startsWith(start) && path.length > start.length && !path.endsWith('/');
}
