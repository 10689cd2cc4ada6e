/**
 * Returns the Resource value that matches one recorded resource and no other one. In a policy, `${` begins a variable, and `*` and `?` are wildcards.
 * Clients can name S3 objects, alarms and absent resources with these characters. The server itself authorizes operations without a name on `*`, or
 * on a string that ends in `*`, such as `arn:aws:chime:us-east-1:111122223333:meeting/*` for CreateMeeting. Such a string also becomes a literal one:
 * `meeting/${*}` allows CreateMeeting, but no request on a meeting. Only `*` itself stays, because no other value matches it.
 *
 * Source: IAM User Guide, "IAM policy elements: Variables and tags", "Policy variables for special characters": `${*}`, `${?}` and `${$}`.
 */
export function literalResource(resource: string): string {
  return resource === '*' ? resource : resource.replaceAll(/[*?]|\$(?=\{)/g, (character) => `\${${character}}`);
}
