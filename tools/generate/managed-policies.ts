/** Generates the file of AWS managed policies. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { ManagedPolicy } from '#model/managed-policies.ts';

interface Published {
  readonly name: string;
  readonly arn: Arn;
  readonly version: string;
  readonly createdate: string;
  readonly updatedate: string;
  readonly document: unknown;
}

const ARN_PREFIX = 'arn:aws:iam::aws:policy';

/** Returns the text of `managed-policies.json`: one policy per line, sorted by name. */
export function managedPoliciesText(folder: string): string {
  const policies = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => toManagedPolicy(JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as Published))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return `[\n${policies.map((policy) => JSON.stringify(policy)).join(',\n')}\n]\n`;
}

function toManagedPolicy({ name, arn, version, createdate, updatedate, document }: Published): ManagedPolicy {
  const path = arn.slice(ARN_PREFIX.length, arn.length - name.length);
  if (`${ARN_PREFIX}${path}${name}` !== arn || !path.startsWith('/') || !path.endsWith('/'))
    throw new Error(`${arn} is not the ARN of ${name}`);
  return {
    arn,
    name,
    path,
    versionId: version,
    createdAt: instant(Date.parse(createdate)),
    updatedAt: instant(Date.parse(updatedate)),
    document: JSON.stringify(document, null, 2),
  };
}
