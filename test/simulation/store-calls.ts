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

/**
 * Number of registers, which are stored numbers. `transfer` moves 1 between two registers,
 * so their sum does not change.
 */
export const REGISTERS = 4;
export const INITIAL = 100;

const ACCOUNT = '111122223333' as AccountId;

/** Generates the calls of a seed. The calls of a smaller `count` are a prefix of the calls of a larger `count`. */
export function generateStoreCalls(seed: number, count: number, servers: number): StoreCall[] {
  const random = randomOf(seed, 'workload');
  const calls: StoreCall[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    // Most calls begin at the same time as the previous call, so that the two calls conflict.
    at += random.chance(0.6) ? 0 : random.between(0, 60);
    const first = random.integer(REGISTERS);
    const second = (first + 1 + random.integer(REGISTERS - 1)) % REGISTERS;
    calls.push({ index, at, kind: random.pick(KINDS), server: random.integer(servers), registers: [first, second] });
  }
  return calls;
}

export const register = (n: number): string => `register ${n}`;
/** Returns the key of the counter with this number. Each `increment` call adds 1 to one counter. */
export const counter = (n: number): string => `counter ${n}`;
/** Returns the name that a `claim` call reserves. At most one call per name succeeds. */
export const claim = ({ registers }: StoreCall): string => `claim ${registers[0]} ${registers[1]}`;
export const mark = ({ index }: StoreCall): string => `mark ${index}`;
/** Returns the ID of the record that a successful call writes. A refused call uses another ID. */
export const succeeded = ({ index }: StoreCall): string => `succeeded ${index}`;
export const refused = ({ index }: StoreCall): string => `refused ${index}`;

/**
 * Error that the transaction of a call throws to refuse the call. It simulates the error that an operation of the
 * server throws for an invalid request.
 */
export class Refused extends Error {}

/**
 * Kinds of calls that use the same name for different transactions: one read, several reads, a read and a write, or
 * only a write. The result of a call must not depend on the name of its transaction.
 */
const SAME_NAME: ReadonlySet<Kind> = new Set(['look', 'sum', 'increment', 'claim']);

/** Runs the transaction of a call. Resolves to the value that the client would receive. */
export async function runStoreCall(store: Store, call: StoreCall): Promise<number> {
  // The store learns the names of transactions that have only one read. It runs transactions with a learned name in one
  // round trip. The names differ by register, so a simulation has learned names and new names at the same time.
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

/** Records a refused call in a separate transaction, as the server does for a denied or failed request. */
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
