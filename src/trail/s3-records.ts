/**
 * Form of the records of S3, whose parameters have the names of the HTTP request.
 *
 *     { "bucketName": "logs", "Host": "s3.example.com", "policy": "", "bucketPolicy": { … } }
 *
 * Source: CloudTrail record of AWS, PutBucketPolicy of June 2025, from DataDog/stratus-red-team's `s3-backdoor-bucket-policy`: the names
 * `Host`, `bucketName`, `bucketPolicy` and `policy`. CloudTrail User Guide, "Logging data events": `bucketName` and `key`.
 * Assumed: a list has its query parameters by their names, and a document in the body keeps the name and the form of its XML.
 */
import type { Member, OperationModel } from '#model/model.ts';

const NAMES: Readonly<Record<string, string>> = { Bucket: 'bucketName', Key: 'key', Policy: 'bucketPolicy' };

/** Returns the name of a member in a record of S3. Members of nested structures have no location, and keep their names. */
export function s3ParameterName(member: string, { location, locationName }: Pick<Member, 'location' | 'locationName'>): string {
  if (location === 'header' || location === 'querystring') return locationName ?? member;
  return Object.hasOwn(NAMES, member) && (location === 'uri' || member === 'Policy') ? (NAMES[member] as string) : member;
}

/** Returns the parameters that are not members of the input: the host, and the name of the subresource in the query: `policy`. */
export function s3AddedParameters({ http }: Pick<OperationModel, 'http'>, host: string | undefined): Readonly<Record<string, string>> {
  const [, query = ''] = http.uri.split('?');
  const literals = query.split('&').filter((each) => each !== '' && !each.startsWith('x-id='));
  const named = literals.map((each) => {
    const [name = '', value = ''] = each.split('=');
    return [name, value] as const;
  });
  return { ...(host !== undefined && { Host: host }), ...Object.fromEntries(named) };
}

/** Returns the JSON of a policy as a record contains it: the document, or a string if it is not JSON. */
export function s3PolicyJson(policy: string): string {
  try {
    return JSON.stringify(JSON.parse(policy));
  } catch {
    return JSON.stringify(policy);
  }
}
