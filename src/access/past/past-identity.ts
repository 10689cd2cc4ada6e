import { type AccountId, type Arn, parseArn } from '#core/arn.ts';
import type { IdentityKind, StoredRecord } from '#store/identity/identity.ts';
import { hasHistory, identityAt, type PastKind } from '#store/identity/identity-history.ts';
import type { Store } from '#store/store.ts';
import { newSnapshot, type Snapshot } from '../snapshot.ts';
import { newStacks, type Stacks } from '../stacks.ts';

/** Identity as of one version, for decisions of the past. */
export interface PastIdentity {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
}

/** Record that a decision looks up. Without a key, all records of the kind in the account. */
export interface PastLookUp {
  readonly accountId: AccountId;
  readonly kind: PastKind;
  readonly key: string | undefined;
}

/** Reads the records of a look-up as of one version. @throws RangeError  the version is not kept any more */
export type ReadPast = (lookUp: PastLookUp) => Promise<readonly StoredRecord<PastKind>[]>;

/** Error of a look-up whose records are not read yet. */
class Unread extends Error {
  readonly lookUp: PastLookUp;

  constructor(lookUp: PastLookUp) {
    super('the record is not read yet');
    this.lookUp = lookUp;
  }
}

/**
 * Largest number of look-ups of one decision. A principal has at most a few hundred policies, and an organization five levels of units with
 * five policies each.
 */
const READS_MAX = 2_000;

/** Number of records that one transaction reads. */
const PAGE = 100;

/** Reads the records of look-ups, each page in a transaction of its own. */
export function readPast(store: Pick<Store, 'transaction'>, version: number): ReadPast {
  const run = store.transaction;
  return async ({ accountId, kind, key }) => {
    if (key !== undefined) {
      const text = await run((tx) => identityAt(tx, version).text(accountId, kind, key));
      return text === undefined ? [] : [{ accountId, kind, key, text }];
    }
    const found: StoredRecord<PastKind>[] = [];
    for (let after: string | undefined = ''; after !== undefined; ) {
      const from: string = after;
      const page = await run((tx) => identityAt(tx, version).page(accountId, PAGE, { kind, key: from }));
      const ofKind = page.filter((each) => each.kind === kind);
      found.push(...ofKind);
      after = ofKind.length === PAGE ? ofKind.at(-1)?.key : undefined;
    }
    return found;
  };
}

/** Reads identity as of one version. */
export interface PastReader {
  /**
   * Runs a function of the snapshot and the stacks of this version. Reads each record that the function looks up, and runs the function
   * again. So it reads only the records that decide, although an account can have many. The function must not change anything.
   *
   * @throws RangeError  the version is not kept any more
   */
  run<Result>(decide: (identity: PastIdentity) => Result | Promise<Result>): Promise<Result>;
}

/** Creates the reader of identity as of a version. Records of access keys and providers are never found, because decisions do not read them. */
export function pastReader(version: number, records: ReadPast): PastReader {
  const inner = newSnapshot();
  inner.reload().complete(version);
  const read = new Set<string>();

  function require(accountId: AccountId, kind: PastKind, key?: string): void {
    if (!read.has(placeOf(accountId, kind, key)) && !read.has(placeOf(accountId, kind))) throw new Unread({ accountId, kind, key });
  }

  const snapshot: Snapshot = {
    ...inner,
    account(accountId) {
      require(accountId, 'account', accountId);
      return inner.account(accountId);
    },
    user(accountId, userName) {
      require(accountId, 'user', userName.toLowerCase());
      return inner.user(accountId, userName);
    },
    groupById(accountId, groupId) {
      require(accountId, 'group');
      return inner.groupById(accountId, groupId);
    },
    role(accountId, roleName) {
      require(accountId, 'role', roleName.toLowerCase());
      return inner.role(accountId, roleName);
    },
    policy(policyArn: Arn) {
      const name = policyArn.slice(policyArn.lastIndexOf('/') + 1);
      require(parseArn(policyArn)?.accountId as AccountId, 'policy', name.toLowerCase());
      return inner.policy(policyArn);
    },
    record(accountId, kind, key) {
      if (hasHistory(kind)) require(accountId, kind, key);
      return inner.record(accountId, kind, key);
    },
  };
  const identity = { snapshot, stacks: newStacks(snapshot) };

  async function load(lookUp: PastLookUp): Promise<void> {
    const found = await records(lookUp);
    inner.apply(
      version,
      found.map((record) => ({ ...record, version })),
    );
    read.add(placeOf(lookUp.accountId, lookUp.kind, lookUp.key));
  }

  return {
    async run(decide) {
      for (let reads = 0; reads <= READS_MAX; reads++) {
        try {
          return await decide(identity);
        } catch (error) {
          if (!(error instanceof Unread)) throw error;
          await load(error.lookUp);
        }
      }
      throw new Error(`a decision looks up more than ${READS_MAX} records`);
    },
  };
}

function placeOf(accountId: AccountId, kind: IdentityKind, key?: string): string {
  return key === undefined ? `${accountId} ${kind}` : `${accountId} ${kind} ${key}`;
}
