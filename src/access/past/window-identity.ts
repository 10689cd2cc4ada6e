import type { AccountId } from '#core/arn.ts';
import { identityAt, identityChangesAfter, type PastChange, type PastKind } from '#store/identity/identity-history.ts';
import type { Sql } from '#store/sql.ts';
import { newSnapshot } from '../snapshot.ts';
import { newStacks } from '../stacks.ts';
import type { PastIdentity } from './past-identity.ts';
import type { Proposal } from './proposal.ts';

/** Identity that advances through the versions of a window, with a proposal applied to each record. */
export interface WindowIdentity extends PastIdentity {
  /** Applies the changes up to a version. Returns false if identity is at a later version already. */
  advance(version: number): boolean;
}

/** Number of records that one statement reads. */
const PAGE = 1_000;

/**
 * Reads the identity of accounts as of a version, and all later changes. Keeps them in memory, so it is for commands, and not for the server.
 *
 * @throws RangeError  the version is not kept any more
 */
export async function windowIdentity(
  sql: Sql,
  accountIds: readonly AccountId[],
  version: number,
  { apply, added }: Proposal,
): Promise<WindowIdentity> {
  const stored = identityAt({ sql }, version);
  const snapshot = newSnapshot();
  const load = snapshot.reload();
  for (const accountId of accountIds) {
    for (let after: { readonly kind: PastKind; readonly key: string } | undefined, more = true; more; ) {
      const page = await stored.page(accountId, PAGE, after);
      load.add(page.map((record) => ({ ...record, text: apply(record.kind, accountId, record.text) })));
      after = page.at(-1);
      more = page.length === PAGE;
    }
  }
  load.complete(version);
  const changes = await identityChangesAfter({ sql }, version);
  const created = new Set(changes.flatMap(({ kind, text }) => (kind === 'policy' && text !== undefined ? [arnOf(text)] : [])));
  const news = added((arn) => snapshot.policy(arn) !== undefined || created.has(arn));
  snapshot.apply(
    version,
    news.map((each) => ({ ...each, kind: 'policy' as const, version })),
  );
  const stacks = newStacks(snapshot);
  let next = 0;
  let current = version;
  return {
    snapshot,
    stacks,
    advance(to) {
      if (to < current) return false;
      if (to === current) return true;
      const due: PastChange[] = [];
      for (let change = changes[next]; change !== undefined && change.version <= to; change = changes[++next]) due.push(change);
      current = to;
      if (due.length > 0)
        snapshot.apply(
          to,
          due.map((change) => withProposal(change, apply)),
        );
      return true;
    },
  };
}

function withProposal(change: PastChange, apply: Proposal['apply']): PastChange {
  return change.text === undefined ? change : { ...change, text: apply(change.kind, change.accountId, change.text) };
}

/** Returns the ARN in the stored text of a managed policy. */
function arnOf(text: string): string {
  return (JSON.parse(text.slice(0, text.indexOf('\n'))) as { readonly arn: string }).arn;
}
