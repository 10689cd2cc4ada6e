/** ARNs of analyzers, the permissions for them, and look-ups of analyzers. */
import { type AccountId, arn, parseArn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import type { Call, Caller, DeclaredAccess } from '../../kit/operation.ts';
import { type TagContext, tagValues } from '../../kit/tag-rules.ts';
import { type AnalyzerKey, type AnalyzerRecord, analyzers } from '../tables/analyzers.ts';
import { AwsError, notFound } from './errors.ts';

/** Returns the ARN of an analyzer. Source: Service Authorization Reference, "IAM Access Analyzer". */
export function analyzerArn({ accountId, region, name }: AnalyzerKey): string {
  return arn('access-analyzer', region, accountId, `analyzer/${name}`);
}

const PREFIX = 'analyzer/';

/** Returns the account, region and name in the ARN of an analyzer; undefined for other ARNs, and for variants of it, such as another partition. */
export function parseAnalyzerArn(text: string): AnalyzerKey | undefined {
  const parts = parseArn(text);
  if (parts?.service !== 'access-analyzer' || !parts.resource.startsWith(PREFIX)) return undefined;
  const key = { accountId: parts.accountId as AccountId, region: parts.region, name: parts.resource.slice(PREFIX.length) };
  return analyzerArn(key) === text ? key : undefined;
}

/** Returns the permission for the operation's action on the analyzer with an ARN, which need not exist. */
export function onAnalyzerArn(resourceArn: string, { accountId }: Caller, context: TagContext = []): DeclaredAccess {
  const key = parseAnalyzerArn(resourceArn);
  return {
    resources: [resourceArn],
    ...(context.length > 0 && { context: new Map(context) }),
    async resourceTags(tx) {
      const found = key === undefined || key.accountId !== accountId ? undefined : await find(tx, key);
      return [found && tagValues(found.tags)];
    },
  };
}

/** Returns the permission for the operation's action on the analyzer whose ARN an input has. It need not exist. */
export function onAnalyzerOf({ analyzerArn: resourceArn }: { readonly analyzerArn: string }, caller: Caller): DeclaredAccess {
  return onAnalyzerArn(resourceArn, caller);
}

/** Returns the permission for the operation's action on an analyzer of the caller's account, which need not exist. */
export function onAnalyzer({ analyzerName }: { readonly analyzerName: string }, caller: Caller, context: TagContext = []): DeclaredAccess {
  return onAnalyzerArn(analyzerArn({ ...placeOf(caller), name: analyzerName }), caller, context);
}

/** Returns the permission for the operation's action on an archive rule, which need not exist. */
export function onRule(input: { readonly analyzerName: string; readonly ruleName: string }, caller: Caller): DeclaredAccess {
  return { resources: [`${analyzerArn({ ...placeOf(caller), name: input.analyzerName })}/archive-rule/${input.ruleName}`] };
}

/** Returns the account and region of a caller. */
export function placeOf({ accountId, region }: Pick<Caller, 'accountId' | 'region'>): Pick<AnalyzerKey, 'accountId' | 'region'> {
  return { accountId, region };
}

// PostgreSQL cannot compare strings with NUL, and no name has it.
async function find(tx: Tx, key: AnalyzerKey): Promise<AnalyzerRecord | undefined> {
  return key.name.includes('\0') ? undefined : await tx.of(analyzers).get(key);
}

/** Returns an analyzer of the caller's account by its name. @throws ResourceNotFoundException  the account has no such analyzer in the region */
export async function namedAnalyzer(call: Call, analyzerName: string): Promise<AnalyzerRecord> {
  const key = { ...placeOf(call), name: analyzerName };
  const found = await find(call.tx, key);
  if (found === undefined) throw notFound('Analyzer', analyzerArn(key));
  return found;
}

/**
 * Returns an analyzer of the caller's account by its ARN.
 *
 * @throws AccessDeniedException      the analyzer is in another account, even if a policy of the caller allows the action on it
 * @throws ResourceNotFoundException  the account has no such analyzer in the region
 * Assumed: the message.
 */
export async function analyzerOfArn(call: Call, resourceArn: string): Promise<AnalyzerRecord> {
  const key = parseAnalyzerArn(resourceArn);
  if (key !== undefined && key.accountId !== call.accountId)
    throw new AwsError('AccessDeniedException', `The analyzer ${resourceArn} is in another account.`);
  const found = key?.region === call.region ? await find(call.tx, key) : undefined;
  if (found === undefined) throw notFound('Analyzer', resourceArn);
  return found;
}

/** Members of a page in a response. */
export function nextTokenOf(token: string | undefined): { readonly nextToken?: string } {
  return omitUndefined({ nextToken: token });
}
