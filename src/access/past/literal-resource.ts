/**
 * Returns the Resource value that matches one resource and no other one. In a policy, `${` begins a variable, and `*` and `?` are wildcards. Clients
 * can name S3 objects, alarms, log streams and absent resources with these characters. Outside of S3, a final `*` after a separator, or after the
 * prefix of policy IDs, is a pattern that the server authorized, such as `arn:aws:iam::111122223333:role/*`.
 *
 * Source: IAM User Guide, "IAM policy elements: Variables and tags": `${*}`, `${?}` and `${$}`.
 * Assumed: an alarm or another resource that a client names exactly `*` is a pattern, too.
 */
export function literalResource(resource: string): string {
  const isObject = /^arn:[^:]*:s3:::[^/]*\//.test(resource);
  const isPattern = !isObject && /^[^*]*(?:[/:]|\/p-|^)\*$/.test(resource);
  const end = isPattern ? resource.length - 1 : resource.length;
  return resource.slice(0, end).replaceAll(/[*?]|\$(?=\{)/g, (character) => `\${${character}}`) + resource.slice(end);
}
