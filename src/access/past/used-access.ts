/** Actions and resources that a user or role used, and the statements that allow them. */
import { parseArn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { PolicyStatement } from './present-policies.ts';

/** Number of resources with one beginning from which a statement has a wildcard in place of their last part. */
export const RESOURCES_MAX = 8;

/** A part of an ARN that is an ID which the server generated: a UUID. */
const GENERATED_ID = /(?<=[/:])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=\/|$)/g;

/**
 * Returns an ARN with a wildcard in place of each generated ID, so that it also matches resources that do not exist yet.
 *
 *     arn:aws:chime:us-east-1:111122223333:meeting/6f0ff994-42be-4ffb-99ec-8e6edcff03d0   →   arn:aws:chime:us-east-1:111122223333:meeting/*
 */
export function withAnyId(resource: string): string {
  return resource.replace(GENERATED_ID, '*');
}

/** Returns the ARN of the user or role whose policies decide for a caller. */
export function holderOf(principal: Principal): string {
  if (principal.type === 'AssumedRole') return principal.roleArn;
  return principal.type === 'FederatedUser' ? principal.issuerArn : principal.arn;
}

/** Returns statements that allow actions on resources, which are Resource values. Actions with the same resources share a statement. */
export function statementsOf(used: ReadonlyMap<string, Iterable<string>>): readonly PolicyStatement[] {
  const actions = new Map<string, string[]>();
  for (const [action, resources] of [...used].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = JSON.stringify(generalized([...resources]));
    actions.set(key, [...(actions.get(key) ?? []), action]);
  }
  return [...actions].map(([resources, Action]) => ({ Effect: 'Allow', Action, Resource: JSON.parse(resources) as string[] }));
}

/** Replaces the last part of resources by a wildcard if many resources differ only in it. */
export function generalized(resources: readonly string[]): readonly string[] {
  if (resources.includes('*')) return ['*'];
  const groups = new Map<string, string[]>();
  for (const resource of resources) {
    const prefix = prefixOf(resource);
    groups.set(prefix, [...(groups.get(prefix) ?? []), resource]);
  }
  return [...groups].flatMap(([prefix, members]) => (members.length > RESOURCES_MAX ? [`${prefix}*`] : members)).sort();
}

/** Returns an ARN without its last part. The parts of its resource end with a slash or a colon. */
function prefixOf(resource: string): string {
  const start = resource.length - (parseArn(resource)?.resource.length ?? 0);
  const end = Math.max(resource.lastIndexOf('/'), resource.lastIndexOf(':'));
  return resource.slice(0, Math.max(start, end + 1));
}
