import { AwsError } from '#core/aws-error.ts';

export interface PageRequest {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

export interface Page<Thing> {
  readonly things: readonly Thing[];
  /** What every list answers beside its members. */
  readonly rest: { readonly NextToken?: string };
}

/**
 * One page of what `read` gives in the order of keys. A token is the key after which the next page begins, so a page neither repeats nor
 * skips what stays while other things come and go. It is bound to `scope`, the question it was an answer to, and is not secret: it says
 * what its bearer was answered.
 *
 * @throws BadRequestException the token is none of this question. Assumed: the text.
 */
export async function pageOf<Thing>(
  scope: string,
  { MaxResults, NextToken }: PageRequest,
  read: (limit: number, after: string | undefined) => Promise<readonly Thing[]>,
  keyOf: (thing: Thing) => string,
  defaultResults = 50,
): Promise<Page<Thing>> {
  const size = MaxResults ?? defaultResults;
  const found = await read(size + 1, NextToken === undefined ? undefined : keyOfToken(scope, NextToken));
  const things = found.slice(0, size);
  const last = things.at(-1);
  return { things, rest: found.length > size && last !== undefined ? { NextToken: tokenOf(scope, keyOf(last)) } : {} };
}

function tokenOf(scope: string, key: string): string {
  return Buffer.from(JSON.stringify([scope, key])).toString('base64url');
}

function keyOfToken(scope: string, token: string): string {
  const begin = JSON.stringify([scope]).slice(0, -1);
  const text = Buffer.from(token, 'base64url').toString('utf8');
  const key = text.startsWith(`${begin},"`) ? keyIn(text) : undefined;
  if (key === undefined || tokenOf(scope, key) !== token) throw new AwsError('BadRequestException', 'Invalid NextToken');
  return key;
}

function keyIn(text: string): string | undefined {
  try {
    const [, key] = JSON.parse(text) as readonly unknown[];
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}
