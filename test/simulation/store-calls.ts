/** Calls of the store simulation, and the data that they write. */
import type { AccountId, Arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Store, Tx } from '#store/store.ts';
import { randomOf } from '../kit/random.ts';

export const KINDS = ['increment', 'transfer', 'claim', 'refuse', 'sum', 'record', 'identity', 'ignored failure', 'look'] as const;
export type Kind = (typeof KINDS)[number];

export interface StoreCall {
  readonly index: number;
  readonly kind: Kind;
  readonly at: number;
  readonly server: number;
  /** Registers that the call reads and writes. */
  readonly registers: readonly [number, number];
}

/** Number of registers. `transfer` preserves their sum. */
export const REGISTERS = 4;
export const INITIAL = 100;

const ACCOUNT = '111122223333' as AccountId;

/** Generates the calls of a seed. A shorter list is a prefix of a longer one. */
export function generateStoreCalls(seed: number, count: number, servers: number): StoreCall[] {
  const random = randomOf(seed, 'workload');
  const calls: StoreCall[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    // Most calls begin at the same time as the previous one, so that they conflict.
    at += random.chance(0.6) ? 0 : random.between(0, 60);
    const first = random.integer(REGISTERS);
    const second = (first + 1 + random.integer(REGISTERS - 1)) % REGISTERS;
    calls.push({ index, at, kind: random.pick(KINDS), server: random.integer(servers), registers: [first, second] });
  }
  return calls;
}

export const register = (n: number): string => `register ${n}`;
/** Returns the key of the counter that counts the increments of a register. */
export const counter = (n: number): string => `counter ${n}`;
/** Returns the name that a `claim` call reserves. At most one call per name succeeds. */
export const claim = ({ registers }: StoreCall): string => `claim ${registers[0]} ${registers[1]}`;
export const mark = ({ index }: StoreCall): string => `mark ${index}`;
/** Returns the ID of the record that a successful call writes. A refused call uses another ID. */
export const succeeded = ({ index }: StoreCall): string => `succeeded ${index}`;
export const refused = ({ index }: StoreCall): string => `refused ${index}`;

/** Error that a call's work throws to refuse the call, as an operation does for an invalid request. */
export class Refused extends Error {}

/** Kinds of one name: work with a single read, more reads, a read and a write, and a write. */
const SAME_NAME: ReadonlySet<Kind> = new Set(['look', 'sum', 'increment', 'claim']);

/** Runs the transaction of a call. Resolves to the value that the client would receive. */
export async function runStoreCall(store: Store, call: StoreCall): Promise<number> {
  // Several names, so that a run has some that are learned and some that are not.
  const name = SAME_NAME.has(call.kind) ? `look ${call.registers[0]}` : call.kind;
  return store.transaction(
    async (tx) => {
      const value = await work(tx, call);
      if (call.kind !== 'ignored failure') await append(tx, succeeded(call));
      return value;
    },
    { name },
  );
}

/** Records a refused call in a separate transaction, as `answer` does. */
export const recordRefusal = (store: Store, call: StoreCall): Promise<void> => store.transaction((tx) => append(tx, refused(call)));

async function work(tx: Tx, call: StoreCall): Promise<number> {
  const [first, second] = call.registers;
  const read = async (name: string): Promise<number> => Number(await tx.meta.get(name));
  switch (call.kind) {
    case 'increment': {
      const next = (await read(counter(first))) + 1;
      await tx.meta.put(counter(first), `${next}`);
      return next;
    }
    case 'transfer': {
      const [from, to] = [await read(register(first)), await read(register(second))];
      await tx.meta.put(register(first), `${from - 1}`);
      await tx.meta.put(register(second), `${to + 1}`);
      await tx.meta.put(mark(call), 'transferred');
      return from;
    }
    case 'claim':
      if ((await tx.meta.add(claim(call), succeeded(call))) === 'exists') throw new Refused();
      return 0;
    case 'refuse':
      await tx.meta.put(mark(call), 'refused');
      throw new Refused();
    case 'sum': {
      let sum = 0;
      for (let n = 0; n < REGISTERS; n++) sum += await read(register(n));
      return sum;
    }
    case 'look':
      return read(counter(first));
    case 'record':
      return 0;
    case 'identity':
      await tx.identity.put(ACCOUNT, 'group', mark(call), groupOf(call));
      return 0;
    case 'ignored failure':
      await tx.meta.put(mark(call), 'ignored');
      // The work ignores a failing statement, so the database answers the COMMIT with ROLLBACK.
      void tx.sql.row('SELECT does_not_exist').catch(() => {});
      return 0;
  }
}

function groupOf(call: StoreCall) {
  const groupName = mark(call);
  const arn = `arn:aws:iam::${ACCOUNT}:group/${groupName}` as Arn;
  return {
    ...{ accountId: ACCOUNT, arn, path: '/', createdAt: instant(0), attachedPolicyArns: [], inlinePolicies: {} },
    ...{ groupName, groupId: groupName },
  };
}

function append(tx: Tx, eventId: string): Promise<void> {
  return tx.trail.append({
    ...{ eventId, accountId: ACCOUNT, region: 'us-east-1', at: instant(Date.now()), eventName: 'CreateMeeting' },
    ...{ eventSource: 'chime.amazonaws.com', readOnly: false, resources: [], document: '{}' },
  });
}

/** Writes the initial values of the registers. */
export const prepareRegisters = (store: Store): Promise<void> =>
  store.transaction(async (tx) => {
    for (let n = 0; n < REGISTERS; n++) {
      await tx.meta.add(register(n), `${INITIAL}`);
      await tx.meta.add(counter(n), '0');
    }
  });
