/**
 * Returns the Resource value that matches one resource and no other one. In a policy, `${` begins a variable, and `*` and `?` are wildcards. Only
 * keys of S3 objects can contain these wildcards as characters. In other resources, the server authorized a pattern.
 *
 * Source: IAM User Guide, "IAM policy elements: Variables and tags": `${*}`, `${?}` and `${$}`.
 */
export function literalResource(resource: string): string {
  const isObject = /^arn:[^:]*:s3:::[^/]*\//.test(resource);
  return resource.replaceAll(isObject ? /[*?]|\$(?=\{)/g : /\$(?=\{)/g, (character) => `\${${character}}`);
}
